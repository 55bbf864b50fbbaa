/* Lines over the picture that can be seen on any colour: dark within light. */

const LIGHT = "rgb(255 255 255 / .95)";
const DARK = "#14171c";

export function twice(context, width, dash, draw) {
  context.lineJoin = context.lineCap = "round";
  for (const [color, wide] of [[LIGHT, width * 2.2], [DARK, width]]) {
    context.strokeStyle = color;
    context.lineWidth = wide;
    context.setLineDash(color === DARK ? dash : []);
    draw();
  }
  context.setLineDash([]);
}

/* The brush's outline, where it would paint. */
export function ring(context, view, [x, y], { size, square, look: { ratio } }) {
  // where the pixels are, not where the pointer is
  const middle = (value) => (size % 2 ? Math.floor(value) + 0.5 : Math.round(value));
  const [left, top] = view.toScreen(middle(x), middle(y));
  const radius = Math.max(ratio, (size * view.scale) / 2);
  twice(context, 1.2 * ratio, [], () => {
    context.beginPath();
    if (square) context.rect(left - radius, top - radius, 2 * radius, 2 * radius);
    else context.arc(left, top, radius, 0, 2 * Math.PI);
    context.stroke();
  });
  if (radius < 6 * ratio) cross(context, left, top, 9 * ratio, radius + 3 * ratio, ratio);
}

/* Four short lines around a place that is too small to see. */
function cross(context, x, y, reach, from, ratio) {
  twice(context, ratio, [], () => {
    context.beginPath();
    for (const [dx, dy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
      context.moveTo(x + dx * from, y + dy * from);
      context.lineTo(x + dx * (from + reach), y + dy * (from + reach));
    }
    context.stroke();
  });
}

export function path(context, view, points, closed) {
  context.beginPath();
  for (const [x, y] of points) context.lineTo(...view.toScreen(x + 0.5, y + 0.5));
  if (closed) context.closePath();
}

export function dot(context, view, [x, y], ratio, fill = DARK, radius = 4) {
  const at = view.toScreen(x + 0.5, y + 0.5);
  context.beginPath();
  context.arc(...at, radius * ratio, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.lineWidth = 1.5 * ratio;
  context.strokeStyle = LIGHT;
  context.stroke();
}
