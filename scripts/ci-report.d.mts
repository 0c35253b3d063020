interface Report {
  testResults: {
    name: string
    status: string
    message: string
    assertionResults: { title: string; fullName: string; status: string; meta?: { skipReason?: string } }[]
  }[]
}
export const seedTests: readonly string[]
export function judge(report: Report): { passed: number; skipped: string[]; complaints: string[] }
