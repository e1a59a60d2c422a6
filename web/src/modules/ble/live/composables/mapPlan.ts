import type { Plan } from '@/api/types'
import type { MapDrawing, MapPlan, MapPoint } from '@/map/types'

export const point = (pair: readonly number[]): MapPoint => ({ x: pair[0] ?? 0, y: pair[1] ?? 0 })

/** A plan as the map draws it, with everything that people drew on it. */
export function mapPlanOf({ id, bounds, walls, drawing, image }: Plan): MapPlan {
  return { id, bounds, walls: walls.map((wall) => wall.map(point)), drawing: drawingOf(drawing, image) }
}

function drawingOf(drawing: Plan['drawing'] | undefined, image: Plan['image'] | null | undefined): MapDrawing {
  return {
    rooms: (drawing?.rooms ?? []).map(({ polygon, color }) => ({ polygon: polygon.map(point), color: color ?? '' })),
    doors: (drawing?.doors ?? []).map((door) => door.map(point)),
    labels: (drawing?.labels ?? []).map(({ x, y, text, size_m: sizeM }) => ({ at: { x, y }, text, sizeM: sizeM ?? 0 })),
    ...(image && {
      picture: {
        url: image.url, widthPx: image.width_px, heightPx: image.height_px, metresPerPx: image.metres_per_px,
        // The server turns counter-clockwise, a screen clockwise.
        at: { x: image.x, y: image.y }, rotation: -image.rotation_deg, opacity: image.opacity,
      },
    }),
  }
}
