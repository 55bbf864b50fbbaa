/* What a template's frame starts with: texts and style first, then the elements. */

import { ImageClassifier } from "./classifier.js";
import { Alert, Button, Card, Checkbox, Input, Instructions, RadioButton, RadioGroup, Slider, TextArea } from "./fields.js";
import { Form } from "./form.js";
import { keys, link, loadStyle } from "./frame_state.js";
import { Segmentation } from "./segmentation.js";
import { loadTexts } from "./texts.js";

const style = loadStyle();
const { language, keys: chosen, draft } = await link.started;
Object.assign(keys.chosen, chosen);
document.documentElement.lang ||= await loadTexts(language);
await style;

const ELEMENTS = {
  "crowd-semantic-segmentation": Segmentation,
  "crowd-image-classifier": ImageClassifier,
  "crowd-input": Input,
  "crowd-text-area": TextArea,
  "crowd-checkbox": Checkbox,
  "crowd-radio-group": RadioGroup,
  "crowd-radio-button": RadioButton,
  "crowd-slider": Slider,
  "crowd-button": Button,
  "crowd-alert": Alert,
  "crowd-card": Card,
  "crowd-instructions": Instructions,
  // last: it looks at what is inside
  "crowd-form": Form,
};
for (const [name, element] of Object.entries(ELEMENTS)) customElements.define(name, element);
for (const form of document.querySelectorAll("crowd-form")) {
  form.arrange();
  form.restore(draft);
  new MutationObserver(() => form.arrange()).observe(form, { childList: true, subtree: true });
}
document.dispatchEvent(new Event("all-crowd-elements-ready"));
