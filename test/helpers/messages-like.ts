import { expect } from "vitest";

/**
 * Matchers for whole messages, in which `…` stands for any words: rewording a message changes no test, but a different place,
 * key, value or suggestion fails.
 */
export function messagesLike(patterns: string[]): unknown[] {
  return patterns.map((pattern) => {
    const parts = pattern.split("…").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    // A suggestion has to be in the pattern.
    return expect.stringMatching(new RegExp(`^${parts.join("(?:(?!Did you mean)[^])*")}$`));
  });
}
