/** `npm run test:smt`: what the model checker proves of the pure functions, with Z3 from the path. */
import { isInstalled, proofContracts, prove } from "./prove.ts";

if (!isInstalled()) {
  console.log("skipped: no z3 on the path (apt-get install z3). The default run proves what needs no time limit.");
  process.exit(0);
}
let refuted = 0;
for (const contract of proofContracts()) {
  const proof = prove(contract, "z3");
  refuted += proof.refuted.length;
  const unproved = proof.unproved.length;
  console.log(
    `${contract}: ${proof.proved} proved, ${unproved} unproved, ${proof.refuted.length} refuted, ${proof.seconds.toFixed(0)} s`,
  );
  for (const place of [...proof.refuted, ...proof.unproved]) console.log(`  ${place}`);
}
process.exit(refuted === 0 ? 0 : 1);
