import { capture } from "./capture.js";
import { CaptionsError } from "./error.js";

const INSECURE = "Browsers allow microphones only on pages from https or localhost. Open this page over https to speak.";

/** @type {Record<string, string>} by the browser's name of the error */
const REASONS = {
  NotAllowedError: "The browser refused the microphone. Allow it for this page (use the icon beside the address), then start again.",
  NotFoundError: "No microphone was found. Connect one, then start again.",
  NotReadableError: "Another program uses the microphone, or the microphone does not respond.",
  OverconstrainedError: "The chosen microphone is no longer connected. Choose another one.",
};

/** @param {string} message */
const problem = (message) => new CaptionsError("microphone", message);

/**
 * Lists the microphones. They have names after the user has allowed one. Throws a CaptionsError if the page may not use
 * microphones.
 */
export async function microphones() {
  if (!isSecureContext || !navigator.mediaDevices) throw problem(INSECURE);
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "audioinput");
}

/**
 * Opens a microphone. `close` releases it. Throws a CaptionsError.
 *
 * @param {string | null | undefined} deviceId default: the system's
 * @param {import("./capture.js").OnSamples} onSamples
 */
export async function openMicrophone(deviceId, onSamples) {
  if (!isSecureContext || !navigator.mediaDevices) throw problem(INSECURE);
  let stream;
  try {
    const device = deviceId ? { deviceId: { exact: deviceId } } : {};
    stream = await navigator.mediaDevices.getUserMedia({ audio: { ...device, channelCount: 1, echoCancellation: true, noiseSuppression: true } });
  } catch (error) {
    throw problem(REASONS[error.name] || `The microphone cannot be used: ${error.message}`);
  }
  const [track] = stream.getTracks();
  try {
    const captured = await capture(stream, onSamples);
    return {
      ...captured,
      /** @param {boolean} muted */
      mute(muted) { track.enabled = !muted; }, // the browser then shows that the microphone is off
      async close() {
        track.stop();
        await captured.close();
      },
    };
  } catch (error) {
    track.stop();
    throw error;
  }
}
