/** Doomed calls over time, both fleets in one picture: an SVG document. */
export async function picture({ times, names, processes, failingMs }) {
  const { init } = await import('echarts')
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 820, height: 420 })
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: {
      text: 'Calls that still reach a provider after it died',
      subtext: `${processes} processes, 20 calls a second each, 3 failures open a breaker; measured with real processes`,
      left: 20,
      top: 12,
    },
    legend: { bottom: 8, itemGap: 40, icon: 'rect', itemWidth: 16, itemHeight: 6 },
    grid: { left: 64, right: 150, top: 84, bottom: 74 },
    xAxis: {
      type: 'value',
      name: 'ms after the failure',
      nameLocation: 'middle',
      nameGap: 28,
      max: failingMs,
    },
    yAxis: { type: 'value', name: 'doomed calls so far', nameLocation: 'middle', nameGap: 44 },
    series: [
      series(names.cockatiel, times.cockatiel, { color: '#c2410c', failingMs }),
      series(names.busbar, times.busbar, { color: '#0f766e', failingMs }),
    ],
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

function series(name, times, { color, failingMs }) {
  const points = [...times].sort((a, b) => a - b).map((ms, i) => [Number(ms.toFixed(1)), i + 1])
  return {
    name,
    type: 'line',
    step: 'end',
    showSymbol: false,
    color,
    lineStyle: { width: 3 },
    areaStyle: { opacity: 0.12 },
    data: [[0, 0], ...points, [failingMs, points.length]],
    endLabel: { show: true, formatter: `${points.length} calls`, color, fontSize: 15, fontWeight: 'bold' },
  }
}
