/**
 * The SDK takes a stack trace for each promise of each resource, and maps every frame of it through source maps: at
 * hundreds of resources a fifth of a preview's time. Sources here run as they are written, so nothing is to be mapped.
 */
export function nativeStackTraces(): void {
  Reflect.deleteProperty(Error, "prepareStackTrace");
}
