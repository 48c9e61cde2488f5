; What (gc) answers is how many objects live.
(define (loop n) (if (= n 0) 'done (loop (- n 1))))
(define (range n so-far) (if (= n 0) so-far (range (- n 1) (cons n so-far))))
(define before 0) (define after 0) (define held 0) (define more 0) (define less 0)

; Nothing is left of a loop.
(define before (gc))
(loop 100)
(define after (gc))
(print (- after before))

; A list stays until it is dropped.
(define held (range 100 '()))
(define more (gc))
(print (- more after))
(define held '())
(define less (gc))
(print (- less after))
