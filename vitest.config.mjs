import { defineConfig } from "vitest/config";

/** One project a suite: a folder of test/, how many of its files may run side by side, and its deadlines. */
function suite(name, { workers, testSeconds, hookSeconds, env }) {
  return {
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      maxWorkers: workers,
      // Tests load modules of the scripts, and leave nothing beside them.
      env: { PYTHONDONTWRITEBYTECODE: "1", ...env },
      fileParallelism: workers !== 1,
      testTimeout: testSeconds * 1000,
      hookTimeout: hookSeconds * 1000,
    },
  };
}

export default defineConfig({
  test: {
    projects: [
      suite("unit", {
        ...{ workers: 2, testSeconds: 10, hookSeconds: 10 },
        // The checkout is the project of programs that run against mocks.
        env: { PULUMI_NODEJS_ROOT_DIRECTORY: import.meta.dirname },
      }),
      suite("conformance", { workers: 2, testSeconds: 120, hookSeconds: 120 }),
      suite("engine", { workers: 2, testSeconds: 300, hookSeconds: 120 }),
      suite("ci", { workers: 2, testSeconds: 900, hookSeconds: 300 }),
      suite("lab", { workers: 3, testSeconds: 1800, hookSeconds: 1200 }),
      // These count how long users were without service: nothing runs beside a file.
      suite("night", { workers: 1, testSeconds: 1800, hookSeconds: 1200 }),
      suite("outage", { workers: 1, testSeconds: 1800, hookSeconds: 1200 }),
    ],
  },
});
