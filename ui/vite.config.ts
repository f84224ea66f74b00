import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** The server writes <base href>; the development server needs one too, so that deep addresses find the API. */
const devBase: Plugin = { name: "dev-base", apply: "serve", transformIndexHtml: () => [{ tag: "base", attrs: { href: "/" }, injectTo: "head-prepend" }] };

// The server may live under a prefix, so every address is relative; the server writes <base href> into the page.
export default defineConfig({
  base: "./",
  plugins: [react(), devBase],
  build: {
    outDir: "../src/logbuch/server/page",
    emptyOutDir: true,
    assetsDir: "assets",
    target: "es2022",
    sourcemap: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: "plot", test: /node_modules\/uplot\// },
          ],
        },
      },
    },
  },
  server: { proxy: { "^/(api|ajax-api|get-artifact|version)": process.env["LOGBUCH_SERVER"] ?? "http://127.0.0.1:5000" } },
  // A busy machine is no fault: only what hangs takes so long.
  test: { environment: "node", include: ["src/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
});
