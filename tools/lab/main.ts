/** States of local stacks made by an older release name this path for the removal of their machines. */
import "../workshop/lab/main.ts";
