import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const PAGES = ["home", "experiments", "experiment", "run", "compare", "models", "settings"];
const forbid = (groups, message) => ({ "no-restricted-imports": ["error", { patterns: [{ group: groups, message }] }] });

/** Imports point one way: pages -> parts -> charts, ui -> api, url -> model, i18n. */
const boundaries = [
  ...PAGES.map((page) => ({
    files: [`src/pages/${page}/**/*.{ts,tsx}`],
    rules: forbid(PAGES.filter((p) => p !== page).map((p) => `**/pages/${p}/**`).concat(PAGES.filter((p) => p !== page).map((p) => `../${p}/**`)),
      "A page never imports another page."),
  })),
  { files: ["src/parts/**"], rules: forbid(["**/pages/**"], "Parts know no page.") },
  { files: ["src/charts/**"], rules: forbid(["**/pages/**", "**/parts/**"], "Charts know no page and no part.") },
  { files: ["src/ui/**"], rules: forbid(["**/pages/**", "**/parts/**", "**/charts/**", "**/api/**"], "Primitives know no data.") },
  { files: ["src/api/**"], rules: forbid(["**/pages/**", "**/parts/**", "**/charts/**", "**/ui/**"], "The API layer draws nothing.") },
  { files: ["src/url/**", "src/model/**", "src/i18n/**"], rules: forbid(["**/pages/**", "**/parts/**", "**/charts/**", "**/ui/**", "react", "react-dom"], "Pure functions only.") },
];

export default tseslint.config(
  { ignores: ["node_modules", "dist"] },
  ...tseslint.configs.recommended,
  {
    files: ["src/**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: {
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      "max-lines": ["error", { max: 400 }],
      "no-console": "error",
      "no-eval": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "no-restricted-syntax": ["error", { selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']", message: "Only the Markdown part writes HTML." }],
    },
  },
  ...boundaries,
);
