import { describe, expect, it } from "vitest";
import { folderModels, readModelFile, signatureOf } from "./mlmodel";

const FILE = `artifact_path: model
flavors:
  python_function:
    env:
      conda: conda.yaml
    loader_module: mlflow.sklearn
  sklearn:
    pickled_model: model.pkl
model_uuid: 1f
signature:
  inputs: '[{"type": "double", "name": "it''s wide", "required": true}, {"type": "string",
    "name": "word", "required": false}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 3]}}]'
  params: null
utc_time_created: '2026-11-22 10:00:00.000000'
`;

describe("the MLmodel file", () => {
  it("tells flavors and signature, folded lines and doubled quotes and all", () => {
    expect(readModelFile(FILE)).toEqual({
      flavors: ["python_function", "sklearn"],
      signature: {
        inputs: [{ name: "it's wide", type: "double", optional: false }, { name: "word", type: "string", optional: true }],
        outputs: [{ name: "", type: "float32 […, 3]", optional: false }], params: null,
      },
    });
  });
  it("may have no signature, or one that cannot be read", () => {
    expect(readModelFile("flavors:\n  torch: {}\n")).toEqual({ flavors: ["torch"], signature: null });
    expect(readModelFile("signature:\n  inputs: '[{'\n").signature).toBeNull();
    expect(readModelFile("")).toEqual({ flavors: [], signature: null });
  });
  it("reads double quotes", () => expect(readModelFile('signature:\n  inputs: "[{\\"type\\": \\"string\\", \\"name\\": \\"ü\\"}]"\n').signature?.inputs).toEqual([{ name: "ü", type: "string", optional: false }]));
});

it("names nested types and parameters", () => {
  const inputs = JSON.stringify([{ type: "array", name: "words", items: { type: "string" } }, { type: "object", name: "chat", properties: { role: { type: "string" }, ids: { type: "array", items: { type: "long" } } } }]);
  const params = JSON.stringify([{ name: "stop", type: "string", default: null, shape: [-1] }]);
  const found = signatureOf({ inputs, params })!;
  expect(found.inputs!.map((f) => f.type)).toEqual(["string[]", "{role: string, ids: long[]}"]);
  expect(found.params).toEqual([{ name: "stop", type: "string […]", optional: true }]);
});

it("finds the models in the tag of MLflow 2", () => {
  const tag = JSON.stringify([{ artifact_path: "model", flavors: { sklearn: {} } }, { artifact_path: "model", flavors: { xgboost: {} }, signature: { inputs: '[{"type": "long"}]' } }, { flavors: {} }]);
  expect(folderModels(tag)).toEqual([{ path: "model", flavors: ["xgboost"], signature: { inputs: [{ name: "", type: "long", optional: false }], outputs: null, params: null } }]);
  expect([folderModels(undefined), folderModels("{"), folderModels("{}")]).toEqual([[], [], []]);
});
