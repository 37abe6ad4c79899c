/** A condition as parsed: nothing in it is code, and names are looked up in a fixed list. */
export type Condition =
  | { kind: "or" | "and"; parts: Condition[] }
  | { kind: "not"; part: Condition }
  | { kind: "comparison"; left: Operand; operator: Operator; right: Operand };

export type Operand =
  | { kind: "number"; value: number }
  | { kind: "text"; value: string }
  | { kind: "path"; steps: Step[] };

/** A name in a path, with its arguments: `setting("film")`. */
export interface Step {
  name: string;
  args: string[];
}

export const operators = ["<", "<=", ">", ">=", "==", "!="] as const;
export type Operator = (typeof operators)[number];

/** What is wrong with a condition, and where. */
export class SyntaxProblem extends Error {
  constructor(expected: string, { text, start }: Pick<Token, "text" | "start">) {
    super(`expected ${expected}, found ${text === "" ? "the end" : `\`${text}\` at character ${start + 1}`}`);
  }
}

/** Longer conditions are refused, so that brackets cannot nest without end. */
const maxLength = 1000;

/** @throws SyntaxProblem. */
export function parseCondition(text: string): Condition {
  const parser = new Parser(tokensOf(text));
  const condition = parser.either();
  parser.end();
  return condition;
}

/** One method for each rule of the grammar. */
class Parser {
  readonly #tokens: Token[];
  #position = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  either(): Condition {
    return this.#joined("or", () => this.#joined("and", () => this.#negated()));
  }

  end(): void {
    if (this.#next.text !== "") throw new SyntaxProblem("`and`, `or` or the end", this.#next);
  }

  #joined(word: "or" | "and", part: () => Condition): Condition {
    const first = part();
    const parts = [first];
    while (this.#skip(word)) parts.push(part());
    return parts.length === 1 ? first : { kind: word, parts };
  }

  #negated(): Condition {
    if (this.#skip("not")) return { kind: "not", part: this.#negated() };
    if (!this.#skip("(")) return this.#comparison();
    const inner = this.either();
    this.#need(")");
    return inner;
  }

  #comparison(): Condition {
    const left = this.#operand();
    const operator = operators.find((each) => this.#skip(each));
    if (operator === undefined) throw new SyntaxProblem(operators.join(" "), this.#next);
    return { kind: "comparison", left, operator, right: this.#operand() };
  }

  #operand(): Operand {
    const token = this.#take();
    if (token.kind === "number") return { kind: "number", value: Number(token.text) };
    if (token.kind === "text") return { kind: "text", value: unquote(token.text) };
    if (token.kind !== "name" || reserved.has(token.text))
      throw new SyntaxProblem("a value such as best.acc_at_50.mean, a number or a quoted text", token);
    const steps = [this.#step(token.text)];
    while (this.#skip(".")) {
      const name = this.#take();
      if (name.kind !== "name") throw new SyntaxProblem("a name after the point", name);
      steps.push(this.#step(name.text));
    }
    return { kind: "path", steps };
  }

  #step(name: string): Step {
    const args: string[] = [];
    if (!this.#skip("(")) return { name, args };
    do {
      const token = this.#take();
      if (token.kind !== "text") throw new SyntaxProblem("a label in quotes", token);
      args.push(unquote(token.text));
    } while (this.#skip(","));
    this.#need(")");
    return { name, args };
  }

  get #next(): Token {
    return this.#tokens[this.#position] ?? { kind: "end", text: "", start: 0 };
  }

  #take(): Token {
    const token = this.#next;
    this.#position += 1;
    return token;
  }

  #skip(text: string): boolean {
    const { kind, text: found } = this.#next;
    if (found !== text || kind === "text") return false;
    this.#position += 1;
    return true;
  }

  #need(text: string): void {
    if (!this.#skip(text)) throw new SyntaxProblem(`\`${text}\``, this.#next);
  }
}

interface Token {
  kind: "number" | "text" | "name" | "symbol" | "end";
  text: string;
  start: number;
}

const reserved = new Set(["and", "or", "not"]);

const pattern =
  /\s*(?:(?<number>-?\d+(?:\.\d+)?(?![\w.]))|(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?<name>[A-Za-z_]\w*)|(?<symbol><=|>=|==|!=|[<>().,]))/suy;

function tokensOf(text: string): Token[] {
  if (text.length > maxLength)
    throw new SyntaxProblem(`at most ${maxLength} characters`, { text: "more", start: maxLength });
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  pattern.lastIndex = 0;
  let start = 0;
  while (start < end) {
    const match = pattern.exec(text);
    const groups = match?.groups ?? {};
    const kind = (["number", "text", "name", "symbol"] as const).find((each) => groups[each] !== undefined);
    if (match === null || kind === undefined) {
      const rest = text.slice(start).trimStart();
      throw new SyntaxProblem("a name, a number, a quoted text or an operator", {
        text: [...rest][0] ?? "",
        start: text.length - rest.length,
      });
    }
    const found = groups[kind] ?? "";
    start = match.index + match[0].length;
    tokens.push({ kind, text: found, start: start - found.length });
  }
  return tokens;
}

/** A backslash stands before a quote, or another backslash. */
function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/gsu, "$1");
}
