import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../api/models";
import { told } from "./told";

const entry = (part: Partial<AuditEntry>): AuditEntry => ({ id: 1, time: 0, user: "anna", address: "::1", action: "model created", name: "m", alias: "", before: "", after: "", ...part });

describe("told", () => {
  it.each([
    [{}, "created the model"],
    [{ action: "model renamed", before: "a", after: "b" }, "renamed a to b"],
    [{ action: "version created", version: "3", after: "runs:/x/model" }, "registered version 3"],
    [{ action: "stage changed", version: "3", before: "None", after: "Production" }, "moved version 3 from None to Production"],
    [{ action: "alias set", alias: "champion", version: "2", after: "2" }, "set alias champion to version 2"],
    [{ action: "alias set", alias: "champion", version: "2", before: "1", after: "2" }, "moved alias champion from version 1 to 2"],
    [{ action: "alias deleted", alias: "champion", version: "2", before: "2" }, "removed alias champion from version 2"],
  ] as [Partial<AuditEntry>, string][])("%o", (part, text) => expect(told(entry(part))).toBe(text));
});
