// Turns microphone samples into PCM16 frames of 40 ms, with their level. `fold` samples are averaged into one. Channels are
// mixed as on the server (streamer/audio/mixing.py): a channel in opposite phase to the first is inverted.
const OPPOSITE = -0.5;
const ALIKE = 0.2;
const FORGET = Math.exp(-128 / sampleRate / 0.5); // per block of 128 samples; the time constant is 0.5 s
class Capture extends AudioWorkletProcessor {
  #fold;
  #length;
  #frame;
  #filled = 0;
  #energy = 0;
  #sum = 0;
  #summed = 0;
  #signs = []; // by channel
  #gains = []; // move gradually to the signs
  #energies = [];
  #products = []; // of each channel with the first

  constructor({ processorOptions: { fold } }) {
    super();
    this.#fold = fold;
    this.#length = Math.round((sampleRate / fold) * 0.04);
    this.#frame = new Int16Array(this.#length);
  }

  process([input]) {
    const channels = input.length;
    if (!channels) return true;
    if (channels !== this.#signs.length) this.#begin(channels);
    for (let at = 0; at < input[0].length; at += 1) {
      for (let n = 0; n < channels; n += 1) {
        this.#gains[n] += (this.#signs[n] - this.#gains[n]) / 64;
        this.#sum += input[n][at] * this.#gains[n];
      }
      this.#summed += 1;
      if (this.#summed === this.#fold) this.#take(this.#sum / channels / this.#fold);
    }
    if (channels > 1) this.#compare(input);
    return true;
  }

  #begin(channels) {
    this.#signs = Array(channels).fill(1);
    this.#gains = Array(channels).fill(1);
    this.#energies = Array(channels).fill(0);
    this.#products = Array(channels).fill(0);
  }

  #compare(input) {
    const means = input.map((channel) => channel.reduce((sum, sample) => sum + sample, 0) / channel.length);
    input.forEach((channel, n) => {
      let energy = 0;
      let product = 0;
      for (let at = 0; at < channel.length; at += 1) {
        const sample = channel[at] - means[n];
        energy += sample * sample;
        product += sample * (input[0][at] - means[0]);
      }
      this.#energies[n] = this.#energies[n] * FORGET + energy;
      this.#products[n] = this.#products[n] * FORGET + product;
      const scale = Math.sqrt(this.#energies[n] * this.#energies[0]);
      const correlation = scale ? this.#products[n] / scale : 0;
      if (correlation < OPPOSITE) this.#signs[n] = -1;
      else if (correlation > ALIKE) this.#signs[n] = 1;
    });
  }

  #take(value) {
    const sample = Math.max(-1, Math.min(1, value));
    this.#sum = 0;
    this.#summed = 0;
    this.#frame[this.#filled++] = Math.round(sample * 32767);
    this.#energy += sample * sample;
    if (this.#filled < this.#length) return;
    const samples = this.#frame.buffer;
    this.port.postMessage({ samples, level: Math.sqrt(this.#energy / this.#length) }, [samples]);
    this.#frame = new Int16Array(this.#length);
    this.#filled = 0;
    this.#energy = 0;
  }
}
registerProcessor("capture", Capture);
