/** It is no VCD file, or a broken one; the message is a sentence for a person. */
export class VcdError extends Error {}
