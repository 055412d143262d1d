package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"time"
)

// logger writes lines in the default format of Spring Boot 3.
type logger struct {
	lines       *log.Logger
	application string
}

func newLogger(output io.Writer, application string) *logger {
	return &logger{lines: log.New(output, "", 0), application: application}
}

func (l *logger) info(thread, class, message string)  { l.write("INFO", thread, class, message) }
func (l *logger) error(thread, class, message string) { l.write("ERROR", thread, class, message) }

// failedToStart says why and what to do, as Spring Boot's failure analysis does.
func (l *logger) failedToStart(description, action string) {
	l.error("main", "o.s.b.d.LoggingFailureAnalysisReporter", "")
	l.raw(fmt.Sprintf("\n***************************\nAPPLICATION FAILED TO START\n***************************\n\n"+
		"Description:\n\n%s\n\nAction:\n\n%s\n", description, action))
}

func (l *logger) write(level, thread, class, message string) {
	l.raw(fmt.Sprintf("%s %5s %d --- [%s] [%15.15s] %-40.40s : %s",
		time.Now().Format("2006-01-02T15:04:05.000Z07:00"), level, os.Getpid(), l.application, thread, class, message))
}

func (l *logger) raw(line string) { l.lines.Println(line) }
