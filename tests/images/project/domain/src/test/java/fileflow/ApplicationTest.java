package fileflow;

/** Must never reach an image's builder: it doesn't compile. */
class ApplicationTest {
