/**
 * Lengths of bodies around the edges of frames (16,384) and windows (65,535), and some beyond both.
 */
export const BODY_SIZES = [0, 1, 16_383, 16_384, 16_385, 65_535, 65_536, 1_048_576, 8_000_003] as const;
