import { describe, expect, it } from "vitest";
import { paramsAsFlags, paramsAsJson, paramsAsYaml } from "./params";

const params = { learning_rate: "1e-4", "lora/rank": "16", use_4bit: "True", modules: "q, k: 'v'", name: "no", empty: "", shift: "-3", path: "/data/x y", none: "None" };

describe("parameters for other programs", () => {
  it("are JSON that is read back", () => expect(JSON.parse(paramsAsJson(params))).toEqual(params));
  it("are YAML with what is a number bare and what is not quoted", () =>
    expect(paramsAsYaml(params)).toBe('learning_rate: 1.0e-4\nlora/rank: 16\nuse_4bit: true\nmodules: "q, k: \'v\'"\nname: "no"\nempty: ""\nshift: -3\npath: /data/x y\nnone: null\n'));
  it("are arguments that a shell takes literally", () =>
    expect(paramsAsFlags(params)).toBe("--learning_rate 1e-4 --lora/rank 16 --use_4bit True --modules 'q, k: '\\''v'\\''' --name no --empty '' --shift=-3 --path '/data/x y' --none None"));
});
