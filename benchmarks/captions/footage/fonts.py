# SPDX-License-Identifier: Apache-2.0
"""Fonts of Debian's packages, fetched without being installed.

On a system without apt, the faces of DejaVu that the system or matplotlib has stand in for them;
the truth of every video names its font.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

PACKAGES = (
    "fonts-dejavu-core",
    "fonts-lato",
    "fonts-liberation",
    "fonts-noto-core",
    "fonts-open-sans",
    "fonts-roboto-unhinted",
)
FACES = {
    "tune": (
        "DejaVuSans",
        "DejaVuSerif-Bold",
        "LiberationSans-Regular",
        "LiberationSerif-Regular",
        "OpenSans-Semibold",
        "Lato-Regular",
    ),
    "test": (
        "Roboto-Medium",
        "Roboto-Italic",
        "Lato-Bold",
        "NotoSans-Regular",
        "NotoSerif-Regular",
        "LiberationSans-Bold",
        "LiberationSansNarrow-Bold",
        "DejaVuSans-Bold",
        "DejaVuSansMono",
        "OpenSans-Regular",
    ),
}
"""The faces of each part; none is in both."""
SYSTEM_FONTS = Path("/usr/share/fonts")


def fetch_fonts(folder: Path) -> Path:
    """Return the folder of the fonts, which are fetched the first time, if apt is there."""
    fonts = folder / "fonts"
    if not fonts.is_dir() and shutil.which("apt-get") and shutil.which("dpkg-deb"):
        with tempfile.TemporaryDirectory(prefix="fonts-", dir=folder) as work:
            try:
                unpacked = _unpacked(Path(work))
            except subprocess.CalledProcessError as error:
                print(f"Debian's fonts were not fetched, DejaVu is used instead: {error}")
                return fonts
            unpacked.rename(fonts)
    return fonts


def faces(fonts: Path, part: str) -> tuple[Path, ...]:
    """Return the files of a part's faces, or of those faces of DejaVu that are on this system."""
    files = {path.stem: path for path in sorted(fonts.rglob("*.ttf"))}
    found = tuple(files[name] for name in FACES[part] if name in files)
    if len(found) == len(FACES[part]):
        return found
    import matplotlib  # only here: it takes a second

    folders = (SYSTEM_FONTS, Path(matplotlib.get_data_path()) / "fonts/ttf")
    known = {path.stem: path for folder in folders for path in folder.rglob("DejaVu*.ttf")}
    names = ("DejaVuSans", "DejaVuSerif-Bold"), ("DejaVuSans-Bold", "DejaVuSansMono")
    return tuple(known[name] for name in names[part == "test"])


def _unpacked(work: Path) -> Path:
    """Download the packages with lists of their own, for which root is not needed; unpack them."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (work / name).mkdir(parents=True)
    options = (f"Dir::State={work}/state", f"Dir::Cache={work}/cache", "APT::Sandbox::User=")
    apt = ["apt-get", "-qq", *(part for option in options for part in ("-o", option))]
    subprocess.run([*apt, "update"], check=True, cwd=work)
    subprocess.run([*apt, "download", *PACKAGES], check=True, cwd=work)
    for package in work.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", str(package), "root"], check=True, cwd=work)
    return work / "root/usr/share/fonts"
