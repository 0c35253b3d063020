/** Starts of probes per second as two histograms, with the mean: an SVG document. */
export async function picture({ mean, usual, after, subtext }) {
  const { init } = await import('echarts')
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: 820, height: 420 })
  const seconds = Math.max(usual.length, after.length)
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif' },
    title: { text: 'Probes that begin in each second', subtext, left: 20, top: 12 },
    legend: { bottom: 8, itemGap: 40 },
    grid: { left: 64, right: 90, top: 84, bottom: 74 },
    xAxis: {
      type: 'category',
      name: 'second',
      nameLocation: 'middle',
      nameGap: 28,
      data: Array.from({ length: seconds }, (_, i) => i + 1),
    },
    yAxis: { type: 'value', max: Math.ceil((2.2 * mean) / 100) * 100 },
    series: [
      bars('in everyday running', usual, '#0f766e', [
        { yAxis: mean, name: 'mean' },
        { yAxis: 2 * mean, name: 'twice' },
      ]),
      bars('after an outage of all workers', after, '#c2410c', []),
    ],
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return `${svg}\n`
}

const bars = (name, data, color, lines) => ({
  name,
  type: 'bar',
  color,
  data,
  markLine: {
    symbol: 'none',
    lineStyle: { color: '#64748b' },
    label: { formatter: '{b}' },
    data: lines,
  },
})
