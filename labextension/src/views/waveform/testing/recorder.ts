/** For tests: a canvas' 2-D context that notes what is drawn instead of drawing it. */

export type Point = ['moveTo' | 'lineTo', number, number];

interface IStroke {
  style: string;
  points: Point[];
}

interface IText {
  style: string;
  text: string;
  x: number;
  y: number;
}

interface IRectangle {
  style: string;
  alpha: number;
  x: number;
  y: number;
  width: number;
  height: number;
}

export class Recorder {
  readonly strokes: IStroke[] = [];
  readonly texts: IText[] = [];
  readonly rectangles: IRectangle[] = [];

  strokeStyle = '';
  fillStyle = '';
  globalAlpha = 1;

  /** As what is drawn on takes it. */
  get context(): CanvasRenderingContext2D {
    return this as unknown as CanvasRenderingContext2D;
  }

  beginPath(): void {
    this._points = [];
  }

  moveTo(x: number, y: number): void {
    this._points.push(['moveTo', x, y]);
  }

  lineTo(x: number, y: number): void {
    this._points.push(['lineTo', x, y]);
  }

  stroke(): void {
    this.strokes.push({ style: this.strokeStyle, points: this._points });
  }

  fillText(text: string, x: number, y: number): void {
    this.texts.push({ style: this.fillStyle, text, x, y });
  }

  fillRect(x: number, y: number, width: number, height: number): void {
    this.rectangles.push({ style: this.fillStyle, alpha: this.globalAlpha, x, y, width, height });
  }

  rect(): void {
    // A clip, or a frame.
  }

  save(): void {
    // Nothing of what is saved is looked at.
  }

  restore(): void {
    // As above.
  }

  clip(): void {
    // As above.
  }

  setLineDash(): void {
    // As above.
  }

  setTransform(): void {
    // As above.
  }

  private _points: Point[] = [];
}
