import { under } from "../url/base";

/** An answer that is no success. `position` and `length` are characters of the filter text, when it is at fault. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly position: number | null = null,
    readonly length: number | null = null,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** True when no server answered at all. */
  get offline(): boolean {
    return this.status === 0;
  }
}

async function toError(response: Response): Promise<ApiError> {
  const text = await response.text();
  try {
    const body = JSON.parse(text) as Record<string, unknown>;
    const number = (v: unknown) => (typeof v === "number" ? v : null);
    return new ApiError(response.status, String(body["error_code"] ?? response.status), String(body["message"] ?? text), number(body["position"]), number(body["length"]));
  } catch {
    return new ApiError(response.status, String(response.status), text.slice(0, 300) || response.statusText);
  }
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(under(path), init);
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw new ApiError(0, "OFFLINE", "The server cannot be reached.");
  }
  if (!response.ok) throw await toError(response);
  return response;
}

export type Query = Record<string, string | string[] | undefined>;

/** A query string with its question mark; lists repeat their key. */
export function queryString(query: Query): string {
  const params = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value]) params.append(key, one);
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

const json = (body: unknown): RequestInit => ({ method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export async function get<T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<T> {
  const response = await send(path + queryString(query), signal ? { signal } : {});
  return (await response.json()) as T;
}

export async function post<T>(path: string, body: unknown, signal?: AbortSignal): Promise<T> {
  const response = await send(path, signal ? { ...json(body), signal } : json(body));
  return (await response.json()) as T;
}

/** A change by another method; its answer too is JSON. */
export async function change<T>(method: "PATCH" | "DELETE", path: string, body: unknown): Promise<T> {
  return (await (await send(path, { ...json(body), method })).json()) as T;
}

export async function postBinary(path: string, body: unknown, signal?: AbortSignal): Promise<ArrayBuffer> {
  return (await send(path, signal ? { ...json(body), signal } : json(body))).arrayBuffer();
}

/** The first bytes of an answer as text; the rest is not fetched. A character that was cut off is left out. */
export async function textStart(body: ReadableStream<Uint8Array>, most: number): Promise<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let [text, left] = ["", most];
  while (left > 0) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value.subarray(0, left), { stream: true });
    left -= value.length;
  }
  await reader.cancel();
  return text;
}

/** The first bytes of an answer; the rest is not fetched. */
export async function bytesStart(body: ReadableStream<Uint8Array>, most: number): Promise<Uint8Array> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  while (size < most) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
  }
  await reader.cancel();
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.subarray(0, most);
}

export async function getBody(path: string, query: Query, signal?: AbortSignal): Promise<ReadableStream<Uint8Array> | null> {
  return (await send(path + queryString(query), signal ? { signal } : {})).body;
}

export async function getStart(path: string, query: Query, most: number, signal?: AbortSignal): Promise<string> {
  const body = await getBody(path, query, signal);
  return body ? textStart(body, most) : "";
}

export const MLFLOW = "api/2.0/mlflow";
export const NATIVE = "api/logbuch/1";
