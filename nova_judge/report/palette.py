"""Colours of the figure: Okabe and Ito's palette, kept apart by colour blindness and grey print."""

A = "#0072B2"
B = "#E69F00"
TIE = "#BDBDBD"
FLIP = "#CC79A7"
ERROR = "#FFFFFF"
INK = "#1A1A1A"
FAINT = "#5F6670"
LINE = "#D5D9DE"
HATCH = {FLIP: "...", ERROR: "////"}
