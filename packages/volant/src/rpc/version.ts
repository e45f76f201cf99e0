/** The version of this package, as it stands in its manifest; a test keeps them equal. */
export const VERSION = "0.1.0";
