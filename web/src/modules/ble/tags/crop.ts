/** Which square of a picture is kept: its centre in shares of the picture, and how much it is enlarged. */
export interface Crop {
  x: number
  y: number
  /** 1: the largest square that fits. */
  zoom: number
}

export const whole: Crop = { x: 0.5, y: 0.5, zoom: 1 }
export const maxZoom = 5

/** The square in pixels of the picture. */
export interface Square {
  left: number
  top: number
  side: number
}

/** The square of the crop; it never leaves the picture. */
export function squareOf({ x, y, zoom }: Crop, width: number, height: number): Square {
  const side = Math.min(width, height) / zoom
  const inside = (centre: number, length: number) => Math.min(Math.max(centre * length - side / 2, 0), length - side)
  return { left: inside(x, width), top: inside(y, height), side }
}

/** The crop after the picture was dragged under the frame, whose side is `frame` pixels of the screen. */
export function dragged(crop: Crop, by: { x: number; y: number }, frame: number, width: number, height: number): Crop {
  const { left, top, side } = squareOf(crop, width, height)
  const scale = side / frame
  const moved = { left: left - by.x * scale, top: top - by.y * scale }
  return kept({ ...crop, x: (moved.left + side / 2) / width, y: (moved.top + side / 2) / height }, width, height)
}

/** The crop with another zoom around the same centre. */
export function zoomed(crop: Crop, zoom: number, width: number, height: number): Crop {
  return kept({ ...crop, zoom: Math.min(Math.max(zoom, 1), maxZoom) }, width, height)
}

// A centre beyond what can be shown would swallow the next drag.
function kept(crop: Crop, width: number, height: number): Crop {
  const { left, top, side } = squareOf(crop, width, height)
  return { ...crop, x: (left + side / 2) / width, y: (top + side / 2) / height }
}
