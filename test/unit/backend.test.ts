import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { backendOf, backendProblem, type OperatedMachines } from "../../config/backend.ts";
import { scratch } from "../support/estate.ts";

const inventory: OperatedMachines = {
  platform: "inventory",
  hosts: { slayer: { address: "192.0.2.11" }, megadeth: { address: "192.0.2.12" } },
  addresses: [["192.0.2.46", "pair sounz"]],
};
const elsewhere = ["127.0.0.1", "::1", "198.51.100.7"];
const move =
  "npx pulumi stack export --file state.json, npx pulumi login <another backend>, npx pulumi stack init, npx pulumi stack import --file state.json";

const said = (url: string, own = elsewhere, config = inventory) =>
  backendProblem({ url, from: "PULUMI_BACKEND_URL" }, own, config);

describe("a backend", () => {
  it("in a folder of an operated host is refused, with fact, value, allowed and cure", () => {
    expect(said("file:///srv/state", ["127.0.0.1", "192.0.2.12"])).toBe(
      `PULUMI_BACKEND_URL keeps the state in file:///srv/state, and this machine has 192.0.2.12, the address of megadeth, which the stack operates: an emergency would find no state; nothing was touched. Allowed: a backend on no operated host. Cure: run from another machine, with a copy of the state: ${move}`,
    );
  });

  it("in a folder of the machine that holds a service address is refused", () => {
    expect(said("file://~", ["192.0.2.46"])).toContain("192.0.2.46, the address of pair sounz");
  });

  it.each([
    ["https://192.0.2.11:8443", "192.0.2.11:8443/, and that is slayer"],
    ["http://MEGADETH/api", "http://megadeth/api, and that is megadeth"],
    [
      "postgres://state:secret@192.0.2.46:5432/pulumi",
      "postgres://192.0.2.46:5432/pulumi, and that is pair sounz",
    ],
    [
      "s3://states?region=x&endpoint=192.0.2.12:9000",
      "s3://states?endpoint=192.0.2.12, and that is megadeth",
    ],
    ["s3://states?endpoint=https%3A%2F%2Fslayer%3A9000", "s3://states?endpoint=slayer, and that is slayer"],
  ])("%s is refused: the machine that it names is an operated one", (url, words) => {
    const message = said(url) ?? "allowed";
    expect(message).toContain(words);
    expect(message).not.toContain("secret");
    expect(message).toContain(`Cure: ${move}`);
  });

  it("that this machine serves to itself counts as one in a folder", () => {
    expect(said("http://localhost:8080", ["192.0.2.11"])).toContain("this machine has 192.0.2.11");
    expect(said("http://localhost:8080")).toBeUndefined();
  });

  it.each([
    "file:///srv/state",
    "https://api.pulumi.com",
    "s3://slayer",
    "s3://states?endpoint=198.51.100.9:9000",
    "gs://states/slayer",
    "no url at all",
  ])("%s on another machine is allowed", (url) => {
    expect(said(url)).toBeUndefined();
  });

  it("of local hosts may be where they are: they are made on the operator's machine", () => {
    expect(said("file:///srv/state", ["192.0.2.11"], { ...inventory, platform: "local" })).toBeUndefined();
  });

  it("of AWS is known by the names of the hosts alone", () => {
    const aws: OperatedMachines = { platform: "aws", hosts: { slayer: { zone: "a" } }, addresses: [] };
    expect(said("https://slayer/", elsewhere, aws)).toContain("that is slayer");
    expect(said("file:///srv/state", ["10.0.0.11"], aws)).toBeUndefined();
  });
});

describe("where the backend is said", () => {
  const { path, remove } = scratch("changeover-backend-");
  afterAll(remove);
  const [project, home] = [join(path, "project"), join(path, "home")];
  for (const folder of [project, home]) mkdirSync(folder);
  const current = (url: string) => {
    writeFileSync(join(home, "credentials.json"), JSON.stringify({ current: url, accounts: {} }));
  };

  it("is the variable, else the project, else the login", () => {
    const env = { PULUMI_HOME: home };
    writeFileSync(join(project, "Pulumi.yaml"), "name: changeover\n");
    expect(backendOf(env, project)).toBeUndefined();
    current("s3://login");
    expect(backendOf(env, project)).toEqual({ url: "s3://login", from: "pulumi login" });
    writeFileSync(join(project, "Pulumi.yaml"), "name: changeover\nbackend:\n  url: s3://project\n");
    expect(backendOf(env, project)).toEqual({ url: "s3://project", from: "backend.url of Pulumi.yaml" });
    const told = { ...env, PULUMI_BACKEND_URL: "s3://told" };
    expect(backendOf(told, project)).toEqual({ url: "s3://told", from: "PULUMI_BACKEND_URL" });
  });
});
