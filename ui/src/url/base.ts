/** The folder the page lives under, with a slash at the end ("/" or "/logbuch/"); the server writes it into <base href>. */
export function basePath(): string {
  return new URL(".", document.baseURI).pathname;
}

/** The address of an API path or of a page, below the base. `path` has no leading slash. */
export function under(path: string): string {
  return basePath() + path.replace(/^\//, "");
}

/** The part of a browser path below the base, with a leading slash. */
export function below(pathname: string, base: string): string {
  return "/" + (pathname.startsWith(base) ? pathname.slice(base.length) : pathname.replace(/^\//, ""));
}
