import { mediaEn } from "./mediaEn";
import { tableEn } from "./tableEn";
import { alertsEn } from "./alertsEn";
import { verdictEn } from "./verdictEn";

const n = (count: number, one: string, many: string) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

export const en = {
  ...mediaEn,
  ...tableEn,
  ...alertsEn,
  ...verdictEn,
  // frame
  /** Keys that are called otherwise in another language. */
  keyWords: {} as Record<string, string>,
  home: "Home", experiments: "Experiments", experiment: "Experiment", compare: "Compare", settings: "Settings", skip: "Skip to content", mainNav: "Main",
  live: "Live", upToDate: "up to date", connecting: "Connecting", running: (c: number) => `${c} running`,
  offline: "Server not reachable", offlineSince: (time: string) => `Server not reachable, showing ${time}`, tryNow: "Try now",
  more: "More", close: "Close", cancel: "Cancel", save: "Save", copy: "Copy", copied: "Copied", copyLink: "Copy link", retry: "Try again", details: "Copy details",
  notFound: "There is no page at this address", toHome: "Go to Home", noExperiment: "There is no such experiment", noRun: "There is no such run",
  failed: "That did not work", couldNotLoad: "Could not load this",
  // settings
  theme: "Theme", light: "Light", dark: "Dark", system: "System", language: "Language", keysSetting: "Single keys", on: "On", off: "Off",
  version: (v: string) => `Logbuch ${v}`, exposed: "Reachable from other machines, without a login",
  // keys
  keys: "Keys", keyHelp: "Show all keys", keyFilter: "Go to the filter", keyMove: "Next, previous row", keySelect: "Select the row", keyDraw: "Draw the run or put it away",
  keyCompare: "Compare the selection", keyOpen: "Open", keyBaseline: "Set or clear the baseline", keyDiff: "Only differing", keyColumns: "Columns",
  keyLayout: "Table, both, charts", keyGoHome: "Go to Home", keyGoExperiments: "Go to Experiments", keyEsc: "Close, then clear", keyZoom: "Drag to zoom, double click resets",
  // palette and settings page
  search: "Search", palettePlaceholder: "Runs, experiments, metrics, commands", commands: "Commands", recent: "Recent", chart: "chart", searching: "Searching…", nothingFound: "Nothing found. Try part of a name, or > for commands.", filterWith: (q: string) => `Filter: ${q}`, goTo: (p: string) => `Go to ${p}`, pauseLive: "Pause live", resumeLive: "Resume live", paused: (time: string) => `Paused, showing ${time}`, resume: "Resume",
  keysEverywhere: "Everywhere", keyPalette: "Search and commands", keyGoCompare: "Go to Compare", keyGoSettings: "Go to Settings", keyPause: "Pause or resume live", keySmooth: "Smoothing, then arrows", keyCrosshair: "Move the crosshair of the focused chart", keyLog: "Logarithmic y of the focused chart", keyPin: "Pin the tooltip", keyNeighbour: "Next, previous run", keyCopyCommand: "Copy the command",
  allSettings: "All settings", appearance: "Appearance and keys", chartDefaults: "Charts", chartDefaultsText: "How charts begin where nothing else was chosen.", bandShort: { std: "std", stderr: "stderr", ci: "95 % CI" }, thisBrowser: "This browser", thisBrowserText: "Settings of charts, pane sizes and recent pages are kept in this browser alone.", forget: "Forget them", forgotten: "Forgotten", server: "Server", address: "Address", versionWord: "Version", login: "Login", onlyHere: "None, reachable from this machine only",
  // experiments
  name: "Name", runs: (c: number) => n(c, "run", "runs"), runsHead: "Runs", runningHead: "Running", lastHead: "Last",
  inFolders: (c: number) => ` in ${n(c, "folder", "folders")}`,
  newExperiment: "New experiment", experimentName: "Name; a slash makes a folder", create: "Create", rename: "Rename", remove: "Delete", restore: "Restore",
  deleteExperiment: (name: string) => `Delete experiment “${name}”?`, deleteExperimentText: (c: number) => c ? `Its ${n(c, "run goes", "runs go")} with it. Both can be restored.` : "It can be restored.",
  thisFortnight: "This fortnight", today: "today", bestHead: "Best", daysHead: "14 days", nFailed: (c: string) => `${c} failed`, activityOf: (c: number) => `${n(c, "run", "runs")} in 14 days`, registry: "Registry", goneText: "It may have been deleted for good, or the address is not whole.", toExperiments: "Go to Experiments",
  runningNow: "Running now", finishedLately: "Finished lately", allExperiments: "All experiments", deletedView: "Deleted", activeView: "Active", folder: "Folder", folders: "Folders", keyRail: "Wide or narrow rail", allFolders: "All",
  searchExperiments: "Search experiments", noExperimentMatches: "No experiment matches", noDeleted: "Nothing has been deleted",
  noRunsYet: "No runs yet", pasteThis: "Paste this into your training script. The first point opens the run here by itself.", listening: (host: string) => `Listening on ${host}`,
  actionsFor: (name: string) => `Actions for ${name}`, duration: "Duration", ended: "Ended", started: "Started", run: "Run", status: "Status", step: (s: string) => `Step ${s}`,
  stepOf: (a: string, b: string) => `Step ${a} of ${b}`, needsALook: "Needs a look", nothingToLook: "Nothing among the latest runs",
  reasonFailed: (d: string) => `failed after ${d}`,
  endedIn: (kind: string, key: string) => `${kind} in ${key} at its end`, silentFor: (d: string) => `silent for ${d}`, processGone: "its process gives no sign of life", recordsLost: (c: number) => `${n(c, "record was", "records were")} lost on the way to the server`, showTraceback: "Show the traceback", hideTraceback: "Hide the traceback",
  // four answers
  cost: "Cost", gpuHours: "GPU hours", energy: "Energy", estimated: "estimated", price: "Price", co2: "CO₂",
  fourAnswers: "The four answers", bestRun: "Best run", setsApart: "What sets it apart", wasStable: "Was it stable", getBack: "Get it back",
  ofRuns: (c: string) => `of ${c}`, ofFinished: (c: string) => `of ${c} finished`, bestTitle: "The best of the finished runs", explainTitle: (m: string) => `Share of the spread of ${m} among the finished runs`, mostCommon: "most common among the others", ofFirstRow: (name: string) => `of ${name}, the first row`, noneToCompare: "No finished run to compare", vsBaseline: "vs baseline", noBest: "No finished run has a value yet", whichWay: (m: string) => `The name ${m} does not tell`, noMain: "No metric yet",
  findings: (c: number) => n(c, "finding", "findings"), ofSeeds: (c: number, std: string) => `± ${std}, ${c} seeds`, leadSure: (p: string) => `The lead over the runner-up is larger than the noise of the seeds (p = ${p})`, leadNoise: (p: string) => `The lead over the runner-up is not larger than the noise of the seeds (p = ${p})`, leadUnknown: "Whether the lead is more than noise is not known: the runner-up has no seeds to compare",
  nOfParams: (a: number, b: number) => `${a} of ${n(b, "parameter", "parameters")}`, explainsMost: (k: string) => `${k} explains most of it`, explainsSome: (k: string) => `${k} explains`,
  tooFew: "Too few runs to tell what moved it", nothingExplains: "No single parameter explains the spread", sameAsMost: "Same parameters as most others", sameAsBase: "Same parameters as the baseline", nMore: (c: number) => `+${c}`,
  noCommit: "No commit recorded: start it inside a git folder", noCommand: "No command recorded", commit: "commit", clean: "clean", dirty: "uncommitted changes", dirtyUnknown: "not recorded whether clean", scriptNotInGit: "script not in git", scriptKept: "The script itself was not in git; a copy is in the artifacts:", patchKept: "The changes are applied from the recorded patch.", patchMissing: "The uncommitted changes were not recorded.", notRecorded: "not recorded",
  commandCopied: "Command copied", environment: "Environment", code: "Code", pythonV: (v: string) => `Python ${v}`, envMissing: "Environment not recorded",
  // filter
  filterLabel: "Filter runs", filterHint: "Filter: params.lr = '0.1', metrics.loss < 0.5, or words of a name", lastResult: "Showing the last result", clearFilter: "Clear filter", lacksKey: (w: string) => `A key is missing after ${w}`, lacksOperator: (w: string) => `${w}: an operator is missing, such as = or <`, lacksValue: (w: string) => `A value is missing after ${w}`, lacksQuote: "A quote is not closed", lacksParenthesis: "A parenthesis is not closed", lacksCondition: (w: string) => `A condition is missing after ${w}`,
  didYouMean: (k: string) => `${k}: did you mean`, noSuchKey: (k: string) => `No run has ${k}`, suggestions: "Suggestions",
  ofTotal: (a: string, b: string) => `${a} of ${b} runs`, values: (c: number) => n(c, "value", "values"), onlyDiffering: "Only differing", columns: "Columns", csv: "CSV", sortBy: "Sort",
  searchColumns: "Search columns", metricsHead: "Metrics", paramsHead: "Parameters", tagsHead: "Tags", runHead: "run", resetColumns: "Reset columns", noColumn: "No column matches",
  // table
  selectAll: "Select all loaded runs", selectRun: (name: string) => `Select ${name}`, drawRun: (name: string) => `Draw ${name}`, hideRun: (name: string) => `Put ${name} away`, runsTable: "Runs", deltaBase: "Δ base", base: "base", baseline: "Baseline", baselineValue: "baseline", childOf: (name: string) => `child of ${name}`,
  drawn: (c: number) => `${c} drawn`, selected: (c: number) => `${c} selected`, exportCsv: "Export CSV", clearSelection: "Clear selection", setBaseline: "Set as baseline", clearBaseline: "Clear baseline",
  deleteRuns: (c: number) => `Delete ${n(c, "run", "runs")}?`, deleteRunsText: "They can be restored from the deleted view.", restoreRuns: "Restore",
  newRuns: (c: number) => `Show ${n(c, "new run", "new runs")}`, noMatch: "No run matches", noMatchText: "The filter excludes all runs of this experiment.", noRunsHere: "No runs here yet", noDeletedRuns: "No deleted runs", showActive: "Show active runs", showDeleted: "Show deleted runs",
  sortAsc: "Sort ascending", sortDesc: "Sort descending", showLast: "Last value", showMin: "Minimum", showMax: "Maximum", useAsMain: "Use as main metric", hideColumn: "Hide", columnMenu: (k: string) => `Menu of ${k}`,
  mean: "mean", layoutTable: "Table", layoutBoth: "Both", layoutCharts: "Charts", layout: "Layout", resize: "Resize the panes", user: "User", colour: "Drawn",
  drawMenu: "Draw", drawBest: "Draw the best eight and the running", drawNone: "Draw none", addToCompare: "Compare",
  // charts
  nCharts: (c: number) => n(c, "chart", "charts"), searchCharts: "Search charts", smoothing: "Smoothing", xAxis: "X axis", xStep: "Step", xTime: "Time", xRelative: "Relative", lower: "lower is better", higher: "higher is better",
  pointsAbove: (c: number) => `${n(c, "point", "points")} above the view`, pointsBelow: (c: number) => `${n(c, "point", "points")} below the view`, pointsOutside: (c: number) => `${n(c, "point", "points")} outside the view`, placesAbove: (c: number) => `in ${n(c, "place", "places")} above the view`, placesBelow: (c: number) => `in ${n(c, "place", "places")} below the view`, placesOutside: (c: number) => `in ${n(c, "place", "places")} outside the view`, showAll: "Show the full range", robustRange: "Robust range", logY: "Logarithmic y", fullScreen: "Full screen", leaveFullScreen: "Leave full screen", savePng: "Save as PNG", saveCsv: "Save as CSV", chartMenu: (k: string) => `Menu of chart ${k}`,
  logX: "Logarithmic x", chartSettings: "Settings…", settingsOf: (k: string) => `Settings of ${k}`, resetChart: "Reset this chart", changedSettings: "settings changed", editChart: "Edit chart", removeChart: "Remove chart", newChart: "New chart", chartTitle: "Title", chartNameTaken: "There is a chart of this title", mostKeys: (c: number) => `At most ${c} metrics in one chart`, showAsTable: "Show as table", saveSvg: "Save as SVG",
  linear: "Linear", yAxis: "Y axis", range: "Range", rangeRobust: "Robust", rangeFull: "Whole", rangeOwn: "Own", rangeEnds: "From, to", rangeLow: "Lowest y", rangeHigh: "Highest y", rangeNumbers: "Both ends have to be numbers", rangeOrder: "The lower end has to be below the upper one", rangeLog: "A logarithmic axis begins above 0", ownRange: "own range", asBoard: "As all charts",
  firstValue: "First", bestValue: "Best", lastValue: "Last", brokenValues: "NaN, Inf", pinned: "pinned", smoothedBy: (v: string) => `smoothed ${v}`, notOnLog: (c: number) => `${n(c, "point", "points")} at or below 0 left out`, withoutAxis: (c: number, k: string) => `${n(c, "run", "runs")} without ${k}`, noPointsAgainst: (k: string) => `No points against ${k}`,
  band: "Band", bandOf: { std: "mean and std", stderr: "mean and stderr", ci: "mean and 95 % CI" }, searchHint: "Words, or * and ? as in train/*", allCharts: "Show all charts", noMetricsHint: "The first logged value appears here by itself.",
  nanAt: (kind: string, x: string) => `${kind} at ${x}`, andMore: (c: number) => `and ${c} more`, chartSummary: (k: string, c: number) => `${k}, ${n(c, "run", "runs")}`, bestAt: (v: string, x: string) => `best ${v} at ${x}`,
  noChart: "No metric matches", noMetrics: "No metric yet", noDrawn: "No run is drawn. Choose one in the table with Space or its line.", seriesFailed: "Could not read this series.", resetZoom: "Reset zoom", noPoints: "No points", smoothed: "smoothed", loadingText: "Loading",
  // run
  overview: "Overview", parameters: "Parameters", metrics: "Metrics", systemTab: "System", artifacts: "Artifacts", FINISHED: "Finished", RUNNING: "Running", LOST: "Lost", FAILED: "Failed", KILLED: "Stopped", SCHEDULED: "Scheduled",
  startedAt: "started", by: "by", copyCommand: "Copy command", renameRun: "Rename run", editTags: "Edit tags", deleteRun: "Delete run", deletedBanner: "This run has been deleted", runName: "Name of the run", runOf: (a: string, b: string, by: string) => `Run ${a} of ${b} by ${by}`, startTime: "start time", filteredBy: (q: string) => `Filter: ${q}`,  previous: "Previous run", next: "Next run",
  copyYaml: "Copy as YAML", copyFlags: "Copy as command line flags", noParamMatches: "No parameter matches", fileGone: "This file is gone.", noDiff: "No changes in this file", asPage: "Page", asSource: "Source", pageSandboxed: "Runs apart from this page, without network", previousStep: "Previous step", nextStep: "Next step", stepSlider: "Step of the series", noTensors: "This is no safetensors file, or its header is damaged.", tensorsOf: (c: string, p: string) => `${c} tensors, ${p} parameters`, searchTensors: "Search tensors", dtype: "Type", shape: "Shape", size: "Size",
  codeTab: "Code", uncommitted: "Uncommitted changes", cleanTree: "The working tree was clean: the commit is the code.", noPatch: "Uncommitted changes were not recorded.", packages: "Packages", noPackages: "The installed packages were not recorded. logbuch run and start_run record them.", searchPackages: "Search packages", command: "Command", commitOf: "Commit", branch: "Branch", repository: "Repository", python: "Python", hardware: "Hardware", asCharts: "Charts", asTable: "Table", searchMetrics: "Search metrics", min: "Min", max: "Max", atStep: (s: string) => `at ${s}`, noMetricMatches: "No metric matches", 
  onHost: "on", filterParams: "Filter parameters", noParams: "No parameter has been logged", copyJson: "Copy as JSON", notes: "Notes", edit: "Edit", noNotes: "No notes. Markdown works here.", noteField: "Notes in Markdown", reproduce: "Reproduce", byHand: "By hand", copyLines: "Copy lines", reproduceAbout: "Restores code and packages in a new folder, runs it, and compares every metric.", 
  bestAtStep: (v: string, s: string) => `best ${v} at ${s}`, minAtStep: (v: string, s: string) => `min ${v} at ${s}`, loss: "Loss", children: "Child runs", datasets: "Datasets", tags: "Tags", noTags: "No tags", tagKey: "Key", tagValue: "Value", addTag: "Add tag", removeTag: (k: string) => `Remove tag ${k}`, parent: "parent run", source: "Source", noSystem: "No system metrics were logged", noSystemHint: "Turn them on with logbuch.enable_system_metrics_logging() before the run starts.", noArtifacts: "No files have been logged", files: (c: number) => n(c, "entry", "entries"), download: "Download", preview: "Preview", pickFile: "Choose a file to see it here", firstOf: (a: string, b: string) => `Showing the first ${a} of ${b}.`, downloadAll: "Download the file", emptyFile: "The file is empty", noPreview: "This kind of file is not shown here", rowsOf: (a: string, b: string, c: string) => `Rows ${a} to ${b} of ${c}`, previousRows: "Previous rows", nextRows: "Next rows",
  // logs
  logs: "Logs", logText: "Console output", searchLog: "Search the log", noLog: "Nothing has been printed", noLogHint: "What the training prints to stdout and stderr appears here by itself.", followLog: "Follow", logTimes: "Times",
  nLines: (c: string, one: boolean) => `${c} ${one ? "line" : "lines"}`, olderGone: (c: string) => `${c} older lines are not kept`, linesLeftOut: (c: string) => `${c} lines were left out: too many at once`,
  matchOf: (at: string, total: string) => `${at} of ${total}`, matches: (total: string) => `${total} found`, noMatches: "Not found", nextMatch: "Next match", previousMatch: "Previous match", lineNumber: (c: string) => `Line ${c}`, stillOpen: "not finished", saveLog: "Save as text",
  // models
  models: "Models", keyGoModels: "Go to Models", searchModels: "Search models", newModel: "New model", modelName: "Name, without slashes and colons", noModels: "No model has been registered", noModelsText: "Register what a run has made:", noModelMatches: "No model matches", noModel: "There is no such model",
  version1: "Version", versionsHead: "Versions", newest: "Newest", aliases: "Aliases", stage: "Stage", changed: "Changed", created: "Created", createdBy: "Created by", description: "Description", noVersions: "No version yet", vNumber: (v: string) => `Version ${v}`, moreModels: "Show more",
  stageNone: "None", stageStaging: "Staging", stageProduction: "Production", stageArchived: "Archived", moveStage: (s: string) => `Move to ${s}`, moveStageTitle: (v: string, s: string) => `Move version ${v} to ${s}?`, archiveOthers: (s: string) => `Archive the versions that are in ${s} now`,
  setAlias: "Set alias…", aliasName: "Alias", removeAlias: (a: string) => `Remove alias ${a}`, editDescription: "Edit description", copyAddress: "Copy address", addressCopied: "Address copied", deleteVersion: "Delete version", deleteVersionTitle: (v: string) => `Delete version ${v}?`, deleteVersionText: "Its aliases go with it, its number is never given again. The files stay with the run.", deleteInUse: "Take it out of Staging or Production first",
  deleteModel: "Delete model", deleteModelTitle: (m: string) => `Delete model “${m}”?`, deleteModelText: (c: number) => c ? `${n(c, "version goes", "versions go")} with it and cannot be restored. The files stay with the runs.` : "It cannot be restored.",
  lineage: "Where it comes from", history: "History", noHistory: "Nothing has been changed yet", noLineage: "It was registered without a run", files1: "Files", loggedModel: "Logged model", dataset: "Dataset", somebody: "somebody",
  didCreateModel: "created the model", didRenameModel: (a: string, b: string) => `renamed ${a} to ${b}`, didDeleteModel: "deleted the model", didCreateVersion: (v: string) => `registered version ${v}`, didDeleteVersion: (v: string) => `deleted version ${v}`, didMove: (v: string, a: string, b: string) => `moved version ${v} from ${a} to ${b}`, didSetAlias: (k: string, v: string) => `set alias ${k} to version ${v}`, didMoveAlias: (k: string, a: string, b: string) => `moved alias ${k} from version ${a} to ${b}`, didDeleteAlias: (k: string, v: string) => `removed alias ${k} from version ${v}`,
  // compare
  compareRuns: (c: number) => `Compare ${n(c, "run", "runs")}`, sideBySide: "Side by side", differFirst: "rows that differ first", nEqual: (c: number) => `${n(c, "equal row", "equal rows")}`, curves: "Curves", removeRun: (name: string) => `Remove ${name}`, noneChosen: "No runs chosen", chooseRuns: "Select runs in an experiment, then press C.", missingRuns: (c: number) => `${n(c, "run is", "runs are")} gone`,
};

export type Messages = typeof en;
