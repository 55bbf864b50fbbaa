/* Takes back a camera's note to turn a picture: masks have the size that is stored. */

const ORIENTATION = 0x0112;
const UPRIGHT = 1;

/* Sets the note to upright, in place, in a JPEG, PNG or WebP file; others are left alone. */
export function unturn(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const kind = view.byteLength >= 16 ? view.getUint32(0) : 0;
  if (kind >>> 16 === 0xffd8) jpeg(view);
  else if (kind === 0x89504e47) png(view);
  else if (kind === 0x52494646 && view.getUint32(8) === 0x57454250) webp(view);
  return bytes;
}

function jpeg(view) {
  for (let at = 2; at + 10 < view.byteLength && view.getUint8(at) === 0xff;) {
    const marker = view.getUint8(at + 1);
    // the pixels begin
    if (marker === 0xda) return;
    if (marker === 0xe1 && view.getUint32(at + 4) === 0x45786966) tiff(view, at + 10);
    at += 2 + view.getUint16(at + 2);
  }
}

function png(view) {
  for (let at = 8; at + 12 <= view.byteLength; at += 12 + view.getUint32(at)) {
    // a wrong sum of an ancillary chunk makes readers skip it, which is as well
    if (view.getUint32(at + 4) === 0x65584966) tiff(view, at + 8);
  }
}

function webp(view) {
  for (let at = 12; at + 8 <= view.byteLength;) {
    const size = view.getUint32(at + 4, true);
    if (view.getUint32(at) === 0x45584946) tiff(view, at + 8 + (size > 6 && view.getUint32(at + 8) === 0x45786966 ? 6 : 0));
    at += 8 + size + (size & 1);
  }
}

/* The first directory of a TIFF header. */
function tiff(view, start) {
  if (start + 8 > view.byteLength) return;
  const little = view.getUint16(start) === 0x4949;
  const directory = start + view.getUint32(start + 4, little);
  if (directory + 2 > view.byteLength) return;
  const entries = view.getUint16(directory, little);
  for (let i = 0, at = directory + 2; i < entries && at + 12 <= view.byteLength; i++, at += 12) {
    if (view.getUint16(at, little) === ORIENTATION) view.setUint16(at + 8, UPRIGHT, little);
  }
}
