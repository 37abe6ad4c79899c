import { expect, test } from "vitest";
import { bullets, code, heading, images, paragraph, render, table } from "../../src/report/markdown.ts";

test("what people write cannot break a table, and shows as written", () => {
  const hostile = "a | b <script>alert(1)</script> `x` *y* [z](w)\\";
  const written = render([
    table(
      ["setting", "n"],
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

test("figures stay readable in the source: no escapes in Acc@0.5 or in an interval", () => {
  expect(render([paragraph("Acc@0.5 of 53.1 % (50.2 to 56.0) on my_split")])).toBe(
    "Acc@0.5 of 53.1 % (50.2 to 56.0) on my_split\n",
  );
});

test("a line break in a message does not end its bullet, a number does not begin a list", () => {
  expect(render([bullets(["one\n# two"]), paragraph("1. three")])).toBe("- one\n  \\# two\n\n1\\. three\n");
});

test("images carry their sentence as their text", () => {
  const written = render([
    heading(2, "Gallery"),
    images([
      { file: "report/a.png", alt: "the [red] cup" },
      { file: "report/b c.png", alt: "b" },
    ]),
  ]);
  expect(written).toBe("## Gallery\n\n![the \\[red\\] cup](report/a.png)\n![b](<report/b c.png>)\n");
});
