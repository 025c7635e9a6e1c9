/** What servers tell of themselves in the text format of Prometheus. */

/** Adds up the counters whose lines begin so; zero where there are none yet. */
export function sumOfCounters(text: string, line: RegExp): number {
  return text
    .split('\n')
    .filter((each) => line.test(each))
    .reduce((sum, each) => sum + Number(each.slice(each.lastIndexOf(' ') + 1)), 0);
}
