/* The answer of a form: of each element what Ground Truth makes of it. */

const NATIVE = "input[name], textarea[name], select[name]";

/* Name by name; masks are made off the page's thread. */
export async function answerOf(form) {
  const answer = {};
  for (const element of form.querySelectorAll(`${NATIVE}, [name]`)) {
    const name = element.getAttribute("name");
    if (!name || element.hasAttribute("disabled")) continue;
    if (element.collect) answer[name] = await element.collect();
    else if (element.matches(NATIVE)) addNative(answer, name, element);
    else if (element.addTo) element.addTo(answer, name);
  }
  return answer;
}

/* A choice among several of one name, or of one: true or false by value. */
export function addChoice(answer, name, value, checked) {
  if (typeof answer[name] !== "object") answer[name] = {};
  answer[name][value] = checked;
}

function addNative(answer, name, field) {
  if (["submit", "button", "reset", "image", "file"].includes(field.type)) return;
  if (field.type === "checkbox" || field.type === "radio") addChoice(answer, name, field.value, field.checked);
  else if (field.localName === "select" && field.multiple) for (const option of field.options) addChoice(answer, name, option.value, option.selected);
  else if (field.value !== "") answer[name] = field.value;
}

/* The first field that must be filled in and is not. */
export function missing(form) {
  return [...form.querySelectorAll("[required]")].find((field) => {
    if (field.checkValidity) return !field.checkValidity();
    return field.lacking;
  });
}
