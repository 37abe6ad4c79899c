import { expect, test } from "vitest";
import { bullets, code, heading, images, paragraph, render, table } from "../../src/report/markdown.ts";

test("text with markup characters cannot break a table and is rendered unchanged", () => {
  const hostile = "a | b <script>alert(1)</script> `x` *y* [z](w)\\";
  const written = render([
    table(
      ["configuration", "n"],
      [
        [hostile, "1"],
        [[code("a | b")], "2"],
      ],
    ),
  ]);
  const rows = written.trim().split("\n");
  expect(rows).toHaveLength(4);
  expect(rows[1]).toBe("| :- | -: |");
  expect(rows[2]).toBe("| a \\| b \\<script>alert(1)\\</script> \\`x\\` \\*y\\* \\[z]\\(w)\\\\ | 1 |");
  expect(rows[3]).toBe("| `a \\| b` | 2 |");
});

test("Acc@0.5 and intervals have no escapes in the source", () => {
  expect(render([paragraph("Acc@0.5 of 53.1 % (50.2 to 56.0) on my_split")])).toBe(
    "Acc@0.5 of 53.1 % (50.2 to 56.0) on my_split\n",
  );
});

test("a line break does not end a bullet, and a number does not start a list", () => {
  expect(render([bullets(["one\n# two"]), paragraph("1. three")])).toBe("- one\n  \\# two\n\n1\\. three\n");
});

test("images have their expression as alt text", () => {
  const written = render([
    heading(2, "Gallery"),
    images([
      { file: "report/a.png", alt: "the [red] cup" },
      { file: "report/b c.png", alt: "b" },
    ]),
  ]);
  expect(written).toBe("## Gallery\n\n![the \\[red\\] cup](report/a.png)\n![b](<report/b c.png>)\n");
});
