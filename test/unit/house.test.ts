import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..", "..");

interface Import {
  /** A path from the root, or a package. */
  readonly to: string;
  /** It is gone when types are. */
  readonly typeOnly: boolean;
}

const isTypeOnly = (clause: ts.ImportClause | undefined): boolean => {
  if (!clause) return false;
  if (clause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const named = clause.namedBindings;
  return (
    clause.name === undefined &&
    named !== undefined &&
    ts.isNamedImports(named) &&
    named.elements.every((element) => element.isTypeOnly)
  );
};

/** What a file imports, statically and behind `import()`. */
function importsOf(file: string): Import[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(root, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: Import[] = [];
  const add = (specifier: ts.Expression | undefined, typeOnly: boolean) => {
    if (!specifier || !ts.isStringLiteral(specifier)) return;
    const { text } = specifier;
    found.push({ to: text.startsWith(".") ? normalize(join(dirname(file), text)) : text, typeOnly });
  };
  const walk = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeOnly(node.importClause));
    if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.isTypeOnly);
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0], false);
    ts.forEachChild(node, walk);
  };
  walk(source);
  return found;
}

const program = globSync(["*.ts", "{components,transition,config,platforms}/**/*.ts"], { cwd: root }).sort();
const imports = new Map(program.map((file) => [file, importsOf(file)]));
const edges = program.flatMap((from) => (imports.get(from) ?? []).map((one) => ({ from, ...one })));

/** The folder of a system that a file is in. */
const systemOf = (file: string): string | undefined => /^components\/([^/]+)\//.exec(file)?.[1];

const shown = ({ from, to }: { from: string; to: string }): string => `${from} -> ${to}`;

/** Everything that is reached when a file is loaded: not what types alone name. */
function reachedFrom(file: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const { to, typeOnly } of imports.get(file) ?? []) {
    if (typeOnly || seen.has(to)) continue;
    seen.add(to);
    reachedFrom(to, seen);
  }
  return seen;
}

describe("the house", () => {
  it("is read from real files", () => {
    expect(program.length).toBeGreaterThan(100);
    expect(edges.length).toBeGreaterThan(300);
  });

  it("has no circle, types among them", () => {
    const circles: string[] = [];
    const state = new Map<string, "open" | "closed">();
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === "closed") return;
      if (state.get(file) === "open") {
        circles.push([...path.slice(path.indexOf(file)), file].join(" -> "));
        return;
      }
      state.set(file, "open");
      for (const { to } of imports.get(file) ?? []) if (imports.has(to)) visit(to, [...path, file]);
      state.set(file, "closed");
    };
    for (const file of program) visit(file, []);
    expect(circles).toEqual([]);
  });

  it("has one list of systems: nobody else names one, and a system knows of another one its goal alone", () => {
    const into = edges.filter(({ from, to }) => {
      const system = systemOf(to);
      return system !== undefined && system !== systemOf(from) && from !== "components/registry.ts";
    });
    const allowed = into.filter(({ from, to }) => systemOf(from) !== undefined && to.endsWith("/goal.ts"));
    expect(into.filter((edge) => !allowed.includes(edge)).map(shown)).toEqual([]);
    const listed = edges
      .filter(({ from }) => from === "components/registry.ts")
      .map(({ to }) => systemOf(to));
    const folders = new Set(program.map(systemOf).filter((system) => system !== undefined));
    expect(new Set(listed.filter((system) => system !== undefined))).toEqual(folders);
  });

  it("has an engine, a config and platforms that know no system, and only those who need it know the list", () => {
    const lower = /^(transition|config|platforms)\//;
    expect(
      edges
        .filter(
          ({ from, to }) => lower.test(from) && to.startsWith("components/") && to !== "components/system.ts",
        )
        .map(shown),
    ).toEqual([]);
    const users = edges.filter(({ to }) => to === "components/registry.ts").map(({ from }) => from);
    expect(new Set(users)).toEqual(new Set(["config.ts", "estate.ts", "tell.ts"]));
  });

  it("imports nothing of tools/, tests or benches", () => {
    expect(edges.filter(({ to }) => /^(tools|test|bench)\//.test(to)).map(shown)).toEqual([]);
  });

  it("has a process of the preflight that reaches no value of Pulumi's SDK", () => {
    const deciding = program.filter((file) => /^components\/[^/]+\/decide\.ts$/.test(file));
    expect(deciding.length).toBeGreaterThanOrEqual(5);
    for (const file of ["transition/run/preflight.ts", ...deciding]) {
      const reached = [...reachedFrom(file)].filter((to) => to.startsWith("@pulumi/"));
      expect(reached, file).toEqual([]);
    }
  });

  it("has pure faces: what the registry reaches at once declares nothing", () => {
    const lazily = /\/component\.ts$/;
    const seen = new Set<string>();
    const walk = (file: string): void => {
      for (const { to, typeOnly } of imports.get(file) ?? []) {
        if (typeOnly || seen.has(to) || lazily.test(to)) continue;
        seen.add(to);
        walk(to);
      }
    };
    walk("components/registry.ts");
    expect([...seen].filter((to) => to.startsWith("@pulumi/"))).toEqual([]);
  });

  it("has no file of the program over 300 lines, and no component over 250", () => {
    const lines = (file: string) => readFileSync(join(root, file), "utf8").split("\n").length - 1;
    const limit = (file: string) => (file.endsWith("/component.ts") ? 250 : 300);
    expect(
      program.filter((file) => lines(file) > limit(file)).map((file) => `${file}: ${lines(file)}`),
    ).toEqual([]);
  });
});
