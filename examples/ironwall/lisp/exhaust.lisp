; Nothing is reclaimed where the program does not say so, not even where there is no room left.
(define (loop n) (if (= n 0) 'done (loop (- n 1))))
(print (loop 100))
(print (loop 1000000))
(gc)
(print 'not-reached)
