export const pictureTypes: readonly string[] = ['image/jpeg', 'image/png']
/** The server takes no more. */
export const maxPictureBytes = 20 * 1024 * 1024

/** The picture's size in pixels; rejects when the browser cannot read it. */
export async function sizeOf(file: Blob): Promise<{ width: number; height: number }> {
  const picture = await createImageBitmap(file)
  const { width, height } = picture
  picture.close()
  return { width, height }
}
