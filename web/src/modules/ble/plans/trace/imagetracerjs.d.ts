declare module 'imagetracerjs' {
  interface Segment { type: 'L' | 'Q'; x1: number; y1: number; x2: number; y2: number; x3?: number; y3?: number }
  interface Path { segments: Segment[]; boundingbox: [number, number, number, number]; isholepath: boolean }
  interface Color { r: number; g: number; b: number; a: number }
  interface Options { pal: Color[]; colorquantcycles: number; layering: number; pathomit: number; ltres: number; qtres: number; rightangleenhance: boolean; blurradius: number }
  interface TraceData { layers: Path[][]; width: number; height: number }
  const ImageTracer: { imagedataToTracedata: (image: { width: number; height: number; data: Uint8ClampedArray }, options: Options) => TraceData }
  export default ImageTracer
}
