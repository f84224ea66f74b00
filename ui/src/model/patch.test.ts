import { expect, it } from "vitest";
import { diffFiles } from "./patch";

const PATCH = `diff --git a/train.py b/train.py
index 1..2 100644
--- a/train.py
+++ b/train.py
@@ -1,3 +1,3 @@ def main():
 import x
-lr = 1
+lr = 2
--- not a head, a removed line
\\ No newline at end of file
diff --git a/old.txt b/old.txt
deleted file mode 100644
--- a/old.txt
+++ /dev/null
@@ -1 +0,0 @@
-gone
`;

it("reads a patch by file", () => {
  const [train, old] = diffFiles(PATCH);
  expect([train!.path, train!.added, train!.removed]).toEqual(["train.py", 1, 2]);
  expect(train!.lines.map((l) => l.kind)).toEqual(["place", "same", "remove", "add", "remove", "place"]);
  expect([old!.path, old!.added, old!.removed]).toEqual(["old.txt", 0, 1]);
});
it("reads a patch without git's heads", () => expect(diffFiles("--- a/x\n+++ b/x\n@@ -1 +1 @@\n-1\n+2\n").map((f) => f.path)).toEqual(["x"]));
it("finds nothing in other texts", () => expect(diffFiles("hello\nworld")).toEqual([]));
