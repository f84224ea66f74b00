import { get, NATIVE, post } from "./http";

/** A saved view of an experiment's page; `state` is the query string of its address. */
export interface SavedView {
  view_id: string;
  experiment_id: string;
  name: string;
  state: string;
  is_default: boolean;
}

export const listViews = async (experimentId: string, signal?: AbortSignal) =>
  (await get<{ views: SavedView[] }>(`${NATIVE}/views`, { experiment_id: experimentId }, signal)).views;
export const createView = async (experimentId: string, name: string, state: string) =>
  (await post<{ view: SavedView }>(`${NATIVE}/views/create`, { experiment_id: experimentId, name, state })).view;
export const updateView = async (viewId: string, change: { name?: string; state?: string }) =>
  (await post<{ view: SavedView }>(`${NATIVE}/views/update`, { view_id: viewId, ...change })).view;
export const removeView = (viewId: string) => post(`${NATIVE}/views/delete`, { view_id: viewId });
export const setDefaultView = (experimentId: string, viewId: string | null) => post(`${NATIVE}/views/set-default`, { experiment_id: experimentId, view_id: viewId });
