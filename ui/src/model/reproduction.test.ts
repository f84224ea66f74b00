import { expect, it } from "vitest";
import { reproduction, shellWord } from "./reproduction";

const tags = { "mlflow.source.git.commit": "8d41f02aa3344556677", "mlflow.source.name": "/home/me/lab/sub/train.py", "logbuch.command": "python train.py --lr 0.1", "logbuch.python": "3.11.9" };
const kept = (...paths: string[]) => ({ paths, href: (path: string) => `http://h:5000/get-artifact?run_id=r1&path=${path}&download=1` });

it("says how to start again, and what it does not know", () => {
  const full = reproduction({ ...tags, "logbuch.command": "", "mlflow.source.name": "train.py" });
  expect(full.lines).toEqual(["git checkout 8d41f02aa334", "python train.py"]);
  expect(full).toMatchObject({ missing: [], dirty: null, patch: false, script: null });
  expect(reproduction({}).missing).toEqual(["commit", "command", "environment"]);
});

it("applies the recorded changes, where they were kept", () => {
  const dirty = { ...tags, "mlflow.source.git.dirty": "true" };
  expect(reproduction(dirty, kept("logbuch/diff.patch")).lines).toEqual([
    "git checkout 8d41f02aa334", "curl -s 'http://h:5000/get-artifact?run_id=r1&path=logbuch/diff.patch&download=1' | git apply", "python train.py --lr 0.1"]);
  expect(reproduction(dirty, kept())).toMatchObject({ dirty: true, patch: false, lines: ["git checkout 8d41f02aa334", "python train.py --lr 0.1"] });
  expect(reproduction({ ...tags, "mlflow.source.git.dirty": "false" }, kept("logbuch/diff.patch")).patch).toBe(false);
});

it("fetches the packages before they are installed, and goes to the folder last", () => {
  expect(reproduction({ ...tags, "logbuch.git.folder": "my lab" }, kept("logbuch/requirements.txt")).lines).toEqual([
    "git checkout 8d41f02aa334", "curl -s 'http://h:5000/get-artifact?run_id=r1&path=logbuch/requirements.txt&download=1' -o logbuch-requirements.txt", "pip install -r logbuch-requirements.txt", "cd 'my lab'", "python train.py --lr 0.1"]);
  expect(reproduction({ ...tags, "logbuch.git.folder": "" }).lines).toHaveLength(2);
});

it("names the copy of a script that git did not have", () =>
  expect(reproduction({ ...tags, "logbuch.source.untracked": "true" }).script).toBe("logbuch/source/train.py"));

it("has one command for all of it, where code and command are known", () => {
  const origin = { id: "a1b2", server: "http://h:5000" };
  expect(reproduction(tags, null, origin).command).toBe("logbuch reproduce a1b2 --tracking-uri http://h:5000");
  expect(reproduction(tags).command).toBeNull();
  expect(reproduction({ ...tags, "logbuch.command": "python train.py --token '***'" }, null, origin).command).toBeNull();
  expect(reproduction({ "mlflow.source.git.commit": "8d41f02", "mlflow.source.name": "train.py" }, null, origin).command).toBeNull();
  const script = { "logbuch.command": "python train.py", "mlflow.source.name": "train.py" };
  expect(reproduction(script, null, origin).command).toBeNull();
  expect(reproduction({ ...script, "logbuch.source.untracked": "true" }, null, origin).command).toContain("logbuch reproduce a1b2");
});

it("quotes for the shell", () => {
  expect(shellWord("a/b-c.py")).toBe("a/b-c.py");
  expect(shellWord("it's; rm")).toBe("'it'\\''s; rm'");
});
