import { expect, it } from "vitest";
import { renderMarkdown } from "./markdown";

it("renders text", () => expect(renderMarkdown("a **b**")).toContain("<strong>b</strong>"));
it("escapes HTML", () => expect(renderMarkdown("<img src=x onerror=alert(1)>")).not.toContain("<img"));
it("refuses scripts in links", () => expect(renderMarkdown("[x](javascript:alert(1))")).not.toContain("href"));
it("makes links safe", () => expect(renderMarkdown("[x](https://example.org)")).toContain('rel="noopener noreferrer nofollow"'));
it("loads no foreign picture", () => expect(renderMarkdown("![alt](https://example.org/a.png)")).not.toContain("<img"));
