import { checkAll, describeCheck } from "./check/checks.ts";

const done = await checkAll((checked) => console.log(describeCheck(checked)));
const failed = done.filter(({ passed }) => !passed).length;
console.log(`${done.length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
