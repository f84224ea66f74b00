const n = (count: number, one: string, many: string) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** Words of the runs table and of the compare page. */
export const tableEn = {
  // columns
  showBest: "Best value", valueShown: "Value shown", lowerBetter: "Lower is better", higherBetter: "Higher is better", colourScale: "Colour scale", pinColumn: "Pin left", unpinColumn: "Unpin",
  moveLeft: "Move left", moveRight: "Move right", wider: "Wider", narrower: "Narrower", fitWidth: "Fit width", groupByThis: "Group by this", copyValues: "Copy values", dragColumn: "Drag to move, drag the edge to size, double click the edge to fit",
  hiddenEqual: (c: number) => `${n(c, "column has", "columns have")} one value among these runs`, best: "best", allColumns: "All", noColumns: "None", moreColumns: (c: number) => `${n(c, "more column", "more columns")}: search for them`,
  // cells
  filterEquals: (v: string) => `Only ${v}`, filterNot: (v: string) => `Without ${v}`, filterAtMost: (v: string) => `At most ${v}`, filterAtLeast: (v: string) => `At least ${v}`, filterMissing: "Only without a value", copyValue: "Copy value", cellMenu: "Menu of the cell",
  // groups
  group: "Group", groupBy: "Group by", groupedBy: (k: string) => `Group: ${k}`, noGroup: "No groups", groups: (c: number) => n(c, "group", "groups"), groupRuns: (c: number) => n(c, "run", "runs"), openGroup: (k: string) => `Open the group ${k}`, closeGroup: (k: string) => `Close the group ${k}`, notSet: "not set", searchKeys: "Search parameters and tags", mostGroupKeys: "At most three", median: "median", least: "min", greatest: "max", ofN: (c: string) => `of ${c}`,
  // selection
  selectedOf: (a: string, b: string) => `${a} of ${b} selected`, selectAllOf: (c: string) => `Select all ${c}`, tagRuns: "Tag", moveRuns: "Move", exportRuns: "Export", archive: "Archive", restoreIt: "Restore", deleteForGood: "Delete for good", asCsv: "As CSV", asParquet: "As Parquet", undo: "Undo", undone: "Undone",
  archived: (c: number) => `${n(c, "run", "runs")} archived`, restored: (c: number) => `${n(c, "run", "runs")} restored`, tagged: (c: number) => `${n(c, "run", "runs")} tagged`, moved: (c: number, to: string) => `${n(c, "run", "runs")} moved to ${to}`, deletedForGood: (c: number) => `${n(c, "run", "runs")} deleted for good`, filesLeft: (c: number) => `The files of ${n(c, "run", "runs")} could not be removed`, nothingChanged: "Nothing to change",
  tagTitle: (c: number) => `Tag ${n(c, "run", "runs")}`, tagText: "Without a value the tag is removed.", setTag: "Set", removeIt: "Remove", moveTitle: (c: number) => `Move ${n(c, "run", "runs")}`, moveText: "Their artifacts stay where they are, so links to them stay good.", moveTo: "To the experiment", noOther: "There is no other experiment",
  purgeTitle: (c: number) => `Delete ${n(c, "run", "runs")} for good?`, purgeText: (files: number, size: string) => files ? `Everything that was logged goes, and ${n(files, "file", "files")}, ${size}. This cannot be undone.` : "Everything that was logged goes. They have no files. This cannot be undone.", purgeWeighing: "Counting their files", purgeType: (c: number) => `Type ${c} to confirm`,
  archivedRuns: "Archived runs", activeRuns: "Active runs", readingIds: "Reading",
  // saved views
  views: "Views", viewNamed: (v: string) => `View: ${v}`, edited: "edited", standardView: "Standard", saveView: "Save", saveAs: "Save as", resetView: "Reset", renameView: "Rename", deleteView: "Delete this view", makeDefault: "Open with this view", noDefault: "Open without a view", viewName: "Name of the view", viewSaved: (v: string) => `View ${v} saved`, viewDeleted: (v: string) => `View ${v} deleted`, viewGone: "This view does not exist any more", copyViewLink: "Copy link to this view",
  excludes: (c: string) => `excludes ${c}`, dropCondition: (c: string) => `Drop ${c}`,
  keyGroup: "Group", keyUndo: "Undo", keyCell: "Cell to the left, to the right", keyCellMenu: "Menu of the cell: filter, copy", keyViews: "Saved views",
};
