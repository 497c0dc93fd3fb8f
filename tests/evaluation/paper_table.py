"""liu18, table 3: what both tests of it begin from."""

from visualpoet.evaluation.overall import PAPER_COLUMNS

COLUMNS = (*PAPER_COLUMNS, "overall")
TABLE = {
    "show_and_tell_1cnn": (1.79, 43.66, 76.76, 11.88, 3.35, 0.76, 14.40),
    "show_and_tell_3cnn": (1.91, 48.09, 81.37, 12.64, 3.34, 0.80, 34.34),
    "seqgan": (2.03, 47.52, 82.32, 13.40, 3.72, 0.76, 44.95),
    "regions_hierarchical": (1.81, 46.75, 79.90, 11.64, 2.50, 0.67, 8.01),
    "no_discriminator": (1.94, 45.25, 80.13, 13.35, 3.69, 0.88, 41.86),
    "with_dm": (2.07, 43.37, 78.98, 15.15, 4.13, 1.02, 63.00),
    "with_dp": (1.90, 60.66, 89.74, 12.91, 3.05, 0.72, 51.35),
    "i2p_gan": (2.25, 54.32, 85.37, 14.25, 3.84, 0.94, 77.23),
}
