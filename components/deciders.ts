import { decidePool } from "./app-pool/decide.ts";
import { decideCacheNode, decideCacheRing } from "./cache/decide.ts";
import { decidePair } from "./pair/decide.ts";
import { decideUpgrade, decideUpgradeHost } from "./staged-upgrade/decide.ts";
import { decideBricks, decideMount, decideVolumeHost } from "./shared-volume/decide.ts";

/** What decides whether a transition may begin, by the kind of component. */
export const deciders = {
  pair: decidePair,
  pool: decidePool,
  volumeHost: decideVolumeHost,
  bricks: decideBricks,
  mount: decideMount,
  "cache-node": decideCacheNode,
  "cache-ring": decideCacheRing,
  upgradeHost: decideUpgradeHost,
  upgrade: decideUpgrade,
} as const;

export type Kind = keyof typeof deciders;

/** What a preflight is told besides which machines to look at. */
export type PreflightOrder = {
  readonly [K in Kind]: { readonly kind: K; readonly wanted: Parameters<(typeof deciders)[K]>[1] };
}[Kind];
