import eslint from "@eslint/js";
import tseslint from "typescript-eslint";

/** The only files of the program that may declare resources; all others in these folders are pure data and functions. */
const declaring = [
  "components/*/component.ts",
  "components/{app-pool,search-cluster,shared-volume}/*.ts",
  "components/search-cluster/*/declare.ts",
  "components/pair/{pair,provision,switch}.ts",
  "transition/{absent,hosts,preflight,receipts,rows,secrets,site,step,told,transition}.ts",
  // It asks the engine, and declares nothing.
  "config/last-outputs.ts",
  "platforms/{platform,platforms,ssh}.ts",
  "platforms/*/*.ts",
];

/** The program: what `pulumi up` loads, and what it runs beside itself. */
const program = [
  "index.ts",
  "estate.ts",
  "tell.ts",
  "config.ts",
  ...["components", "transition", "config", "platforms"].map((folder) => `${folder}/**/*.ts`),
];

const remoteCommands = {
  selector:
    "NewExpression[callee.property.name=/^(Command|CopyToRemote|CopyFile)$/]:matches([callee.object.property.name='remote'], [callee.object.name='remote'])",
  message: "only transition/step.ts makes remote commands: use remoteStep() or scriptsCopy() of it",
};

const configReaders = {
  selector: "NewExpression[callee.property.name='Config'], NewExpression[callee.name='Config']",
  message: "only config.ts reads pulumi.Config: take the checked data as an argument",
};

const resourcesInApply = {
  selector: "CallExpression[callee.property.name='apply'] NewExpression[callee.type='MemberExpression']",
  message: "a resource made inside apply is missing from previews: decide from plain data, then declare",
};

const spreadLiterals = {
  selector: "ObjectExpression > SpreadElement > ObjectExpression",
  message: "an object is spread only to put more on a line: write its properties down",
};

const restricted = (...rules) => ({ "no-restricted-syntax": ["error", spreadLiterals, ...rules] });

export default tseslint.config(
  { ignores: ["node_modules/", "coverage/", ".vitest/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  eslint.configs.recommended,
  {
    files: ["**/*.ts"],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { varsIgnorePattern: "^_", argsIgnorePattern: "^_" }],
      // Names of hosts and keys are ASCII, checked at the door.
      "@typescript-eslint/no-misused-spread": "off",
      // Variables of an environment come and go.
      "@typescript-eslint/no-dynamic-delete": "off",
      // `readJson<T>()` states what the caller knows of a file.
      "@typescript-eslint/no-unnecessary-type-parameters": "off",
      eqeqeq: ["error", "always", { null: "ignore" }],
      "max-lines-per-function": ["error", { max: 60, skipComments: true, skipBlankLines: true }],
    },
  },
  {
    files: ["test/**/*.ts", "bench/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "@typescript-eslint/no-non-null-assertion": "off",
    },
  },
  {
    files: ["tools/workshop/offline/**/*.ts"],
    // What the engine sends is JSON of any shape, and the real plugins print it as it is.
    rules: { "@typescript-eslint/no-base-to-string": "off" },
  },
  {
    files: ["**/*.mjs"],
    languageOptions: { globals: { console: "readonly", process: "readonly", URL: "readonly" } },
  },
  {
    files: program,
    rules: restricted(remoteCommands, configReaders, resourcesInApply),
  },
  { files: ["transition/step.ts"], rules: restricted(configReaders, resourcesInApply) },
  { files: ["config.ts"], rules: restricted(remoteCommands, resourcesInApply) },
  {
    files: program.filter((folder) => folder.includes("/")),
    ignores: declaring,
    rules: {
      "@typescript-eslint/no-restricted-imports": [
        "error",
        {
          patterns: [
            {
              group: ["@pulumi/*"],
              allowTypeImports: true,
              message: "this file is pure: resources are declared in the files that eslint.config.mjs lists",
            },
          ],
        },
      ],
    },
  },
);
