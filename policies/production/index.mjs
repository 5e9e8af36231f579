// What the SDK requires itself is compiled once more; what this file imports is loaded by Node as it is.
import "./pack.ts";
