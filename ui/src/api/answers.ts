import { get, NATIVE, post } from "./http";

/** Runs that differ in nothing but the seed, best first. */
export interface RunGroup {
  run_ids: string[];
  names: string[];
  values: number[];
  mean: number;
  std: number | null;
  low: number | null;
  high: number | null;
}

export interface PinnedBaseline {
  run_id: string;
  name: string;
  value: number | null;
  change: number | null;
  ratio: number | null;
}

/** The same answer as that of `logbuch best`. */
export interface Best {
  metric: string;
  lower: boolean;
  reading: "last" | "best" | "smoothed";
  runs: number;
  best: RunGroup;
  runner_up: RunGroup | null;
  p_value: number | null;
  significant: boolean | null;
  baseline: PinnedBaseline | null;
}

/** `share` is the part of `explained` that a parameter has, 0 to 1. */
export interface Effect {
  key: string;
  share: number;
  error: number;
  values: number;
  correlation: number | null;
  best: string | null;
  usual: string | null;
}

export interface Importance {
  metric: string;
  runs: number;
  looked_at: number;
  effects: Effect[];
  /** The share of the metric's spread that all parameters tell; null where there are too few runs or nothing differs. */
  explained: number | null;
  reason: string | null;
}

export interface Question {
  experiment_id: string;
  metric: string;
  lower: boolean;
  filter: string;
}

/** Of finished runs, or of those named whatever their status; runs of further experiments are judged as the first one says. */
export interface ImportanceQuestion extends Question {
  run_ids?: string[];
  more_experiments?: string[];
}

/** Fewer runs than this say nothing about what moved a metric. */
export const ENOUGH_RUNS = 10;

export const getBest = ({ lower, ...rest }: Question, signal?: AbortSignal) => get<Best>(`${NATIVE}/experiments/best`, { ...rest, lower: String(lower) }, signal);
export const getImportance = (question: ImportanceQuestion, signal?: AbortSignal) => post<Importance>(`${NATIVE}/experiments/importance`, question, signal);
/** Pins the run that others are held against, for everyone; an empty ID takes it away. */
export const pinBaseline = (experimentId: string, runId: string) => post(`${NATIVE}/experiments/judge`, { experiment_id: experimentId, baseline: runId });
