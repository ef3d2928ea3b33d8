declare module 'gifenc' {
  type Palette = number[][];
  interface Encoder {
    /** Adds a frame; `delay` is how many milliseconds it is shown. */
    writeFrame(
      index: Uint8Array,
      width: number,
      height: number,
      options: { palette: Palette; delay: number },
    ): void;
    finish(): void;
    bytes(): Uint8Array;
  }
  interface Gifenc {
    GIFEncoder(): Encoder;
    quantize(rgba: Uint8ClampedArray, maxColors: number): Palette;
    applyPalette(rgba: Uint8ClampedArray, palette: Palette): Uint8Array;
  }
  /** A CommonJS module. */
  const gifenc: Gifenc;
  export default gifenc;
}
