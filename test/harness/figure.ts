/**
 * Prints what a test of a fault found, in one line: `fault 5: 10000 outcomes ...`. `fault` is its number in
 * docs/reliability.md. `npm run test:faults` collects the lines in a table at its end (fault-table.ts).
 */
export function figure(fault: number, found: string): void {
  console.log(`fault ${fault}: ${found}`)
}
