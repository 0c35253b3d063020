interface Judgement {
  passed: number
  skipped: string[]
  complaints: string[]
}
interface Report {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { title: string; fullName: string; status: string; meta?: { skipReason?: string } }[]
  }[]
}
export function addUp(reports: readonly Report[]): Report
export function judgeFiles(paths: readonly string[]): Judgement
export const seedTests: readonly string[]
export function judge(report: Report): Judgement
