import { describe, expect, it } from "vitest";
import { answerText, timeText } from "../src/screen/answer-text.ts";
import { answers } from "../src/screen/answers.ts";
import { compared } from "../src/screen/comparison.ts";
import { times } from "../src/screen/times.ts";

const LONG = ["one", "a-rather-long-item", "three"];

function visitOf(title: string, ...given: unknown[]) {
  const answers = given.map((answer, index) => {
    return { question: `Question ${index + 1}?`, code: `call(${index + 1})`, answer, milliseconds: 1.25 };
  });
  return { title, answers };
}

describe("a comparison", () => {
  it("tells equal answers from others", () => {
    const [same, different, missing] = compared([visitOf("A", [1], "x", 3), visitOf("B", [1], "y")]);
    expect([same?.same, different?.same, missing?.same]).toEqual([true, false, false]);
  });
});

const plain = (_: unknown, text: string): string => text;

describe("the answers", () => {
  it("stand once where all stores give the same, and side by side where not", () => {
    const comparisons = compared([visitOf("memory", 1000, LONG, "x"), visitOf("SQLite", 1000, LONG, "y")]);
    expect(answers(comparisons, ["memory", "SQLite"], 80, plain)).toEqual([
      `  Question 1?  call(1)${" ".repeat(57)}✓`,
      "    1,000",
      "",
      `  Question 2?  call(2)${" ".repeat(57)}✓`,
      "    3: one, a-rather-long-item, three",
      "",
      `  Question 3?  call(3)${" ".repeat(57)}✗`,
      "    memory  x",
      "    SQLite  y",
      "",
    ]);
  });

  it("tell which store gave none", () => {
    const comparisons = compared([visitOf("memory", 1), visitOf("SQLite")]);
    expect(answers(comparisons, ["memory", "SQLite"], 80, plain)).toContain("    SQLite  no answer");
  });
});

describe("the times", () => {
  it("have a row a question and a column a store", () => {
    const comparisons = compared([visitOf("memory", 1, 2), visitOf("SQLite", 1)]);
    expect(times(comparisons, ["memory", "SQLite"], 80, plain)).toEqual([
      "               memory  SQLite",
      `  ${"─".repeat(27)}`,
      "  Question 1?  1.3 ms  1.3 ms",
      "  Question 2?  1.3 ms       –",
    ]);
  });
});

describe("every line", () => {
  it.each([72, 80, 99, 120])("fits %i columns", (width) => {
    const given = ["x".repeat(200), ["y".repeat(200)], Array.from({ length: 99 }, (_, index) => index)];
    const titles = ["memory", "SQLite", "LevelDB", "hybrid", "tiered", "Redis"];
    const same = compared(titles.map((title) => visitOf(title, ...given)));
    const different = compared(titles.map((title) => visitOf(title, `${title} ${"z".repeat(200)}`)));
    const lines = [same, different].flatMap((comparisons) => [
      ...answers(comparisons, titles, width, plain),
      ...times(comparisons, titles, width, plain),
    ]);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
    const marks = lines.filter((line) => /[✓✗]$/.test(line)).map((line) => line.length);
    expect(new Set(marks).size).toBe(1);
  });
});

describe("the text of an answer", () => {
  it.each([
    [1234567, 20, "1,234,567"],
    ["text", 20, "text"],
    ["a longer text", 8, "a longe…"],
    [[], 20, "0: "],
    [LONG, 40, "3: one, a-rather-long-item, three"],
    [LONG, 28, "3: one, a-rather-long-item …"],
    [["a-rather-long-item", "two"], 10, "2: a-rath…"],
  ])("%j in %i characters: %s", (answer, width, text) => {
    expect(answerText(answer, width)).toBe(text);
  });

  it.each([
    [0.04, "0.0 ms"],
    [9.96, "10 ms"],
    [999.4, "999 ms"],
    [1234, "1.2 s"],
  ])("%d ms is %s", (milliseconds, text) => expect(timeText(milliseconds)).toBe(text));
});
