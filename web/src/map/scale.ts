export interface ScaleBar {
  metres: number
  widthPx: number
}

/** The longest bar of 1, 2 or 5 times a power of ten metres within a width. */
export function scaleBar(pxPerMetre: number, maxWidthPx: number): ScaleBar {
  const most = maxWidthPx / pxPerMetre
  const power = 10 ** Math.floor(Math.log10(most))
  const step = [5, 2, 1].find((candidate) => candidate * power <= most) ?? 1
  return { metres: step * power, widthPx: step * power * pxPerMetre }
}
