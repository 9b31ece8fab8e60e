// @ts-check

/**
 * A UUID of version 7 (RFC 9562, 5.7): it begins with the time, so that messages that are stored together stand together in
 * the database's index of them.
 * @returns {string} an id for a message of ours: unique, 1 to 64 of [A-Za-z0-9_-]
 */
export function newClientId() {
  const bytes = new DataView(crypto.getRandomValues(new Uint8Array(16)).buffer);
  const now = Date.now();
  bytes.setUint32(0, Math.floor(now / 0x1_0000));
  bytes.setUint16(4, now % 0x1_0000);
  bytes.setUint8(6, 0x70 | (bytes.getUint8(6) & 0x0f));
  bytes.setUint8(8, 0x80 | (bytes.getUint8(8) & 0x3f));
  const hex = [0, 4, 8, 12].map((at) => bytes.getUint32(at).toString(16).padStart(8, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
